"""Primaries without replicas that work get one from a primary that has more than it needs."""

from __future__ import annotations

from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import (
    FAIL,
    FAILURE,
    HANDSHAKE,
    MIGRATE_TO,
    MYSELF,
    NO_ADDRESS,
)
from carnelian.cluster.member.membership import Membership

# Milliseconds that a primary has to be without one, as a failover leaves it for a moment.
_DELAY = 5000
# Rounds from one look at all nodes to the next, about half a second.
_ROUNDS = 5


class ReplicaMigration:
    """Looks for orphans while this node is a replica."""

    def __init__(self, membership: Membership, roles: RoleChanges):
        self._membership = membership
        self._view = membership.view
        self._roles = roles
        self._rounds = 0

    def tend(self) -> None:
        """Now and then, go to an orphan if there is one and we are the one to go. O(nodes)"""
        self._rounds += 1
        if self._rounds % _ROUNDS == 0:
            self._look_around()

    def _look_around(self) -> None:
        view = self._view
        mine = view.myself.primary
        if mine is None or not self._membership.settings.allow_replica_migration:
            return
        most = ours = 0
        orphans = False
        for node in view.nodes.values():
            if node.flags & (MYSELF | NO_ADDRESS | HANDSHAKE | FAIL) or not node.is_primary:
                continue
            working = node.count_working_replicas()
            if not working and node.slot_count and node.flags & MIGRATE_TO:
                orphans = True
            most = max(most, working)
            if node is mine:
                ours = working
        # Nobody gives away its only one.
        if orphans and most >= 2 and ours == most:
            self._consider(mine, most)

    def _consider(self, mine: ClusterNode, most: int) -> None:
        view = self._view
        if not view.is_ok:
            return
        well = sum(not replica.flags & FAILURE for replica in mine.replicas)
        if well <= self._membership.settings.migration_barrier:
            return
        target: ClusterNode | None = None
        candidate = view.myself
        for node in view.nodes.values():
            working = node.count_working_replicas() if node.is_primary else 0
            if self._is_orphan(node, working) and target is None and node.slot_count:
                target = node
            if working == most:
                # All who look on find the same one.
                candidate = min([candidate, *node.replicas], key=lambda replica: replica.id)
        if (
            target is not None
            and candidate is view.myself
            and view.now - target.orphaned_since > _DELAY
        ):
            self._membership.around.log(
                "notice", f"Migrating to orphaned master {target.id} ({target.human_name})"
            )
            self._roles.follow(target)

    def _is_orphan(self, node: ClusterNode, working: int) -> bool:
        """Whether a primary has no replica that works, though it should; and since when."""
        is_orphan = (
            not working
            and not node.is_replica
            and not node.has_failed
            and bool(node.flags & MIGRATE_TO)
        )
        if not is_orphan:
            node.orphaned_since = 0
        elif not node.orphaned_since:
            node.orphaned_since = self._view.now
        return is_orphan
