"""What nodes tell of themselves in extensions: names, their shard, whom they have forgotten."""

from __future__ import annotations

from carnelian.cluster.bus.bus_messages import Extensions
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.member.membership import Membership


class ExtensionNews:
    """Heeds the extensions of PING, PONG and MEET."""

    def __init__(self, membership: Membership):
        self._membership = membership
        self._view = membership.view

    def heed(self, sender: ClusterNode, extensions: Extensions | None) -> None:
        """A node has told of itself; what it does not tell, it does not have."""
        told = extensions or Extensions()
        if extensions is not None:
            # A node that knows of the host name alone sends nothing else, and this if it has one.
            sender.knows_extensions = told.are_modern or not told.hostname
        if (sender.hostname, sender.human_name) != (told.hostname, told.human_name):
            sender.hostname, sender.human_name = told.hostname, told.human_name
            self._membership.soon_save()
        for kind in told.unknown:
            self._membership.around.log("debug", f"Node {sender.id} sends extensions {kind}")
        for id, seconds in told.forgotten:
            self._forget(id, seconds)
        self._heed_shard(sender, told.shard_id or sender.leader.shard_id)

    def _forget(self, id: str, seconds: int) -> None:
        """Others have been told to forget a node."""
        node = self._view.find(id)
        if node is None or node.is_myself or node is self._view.myself.primary:
            return
        self._view.forgotten.add(id, self._view.now, seconds)
        self._view.remove(node)
        self._membership.soon_update()

    def _heed_shard(self, sender: ClusterNode, shard_id: str) -> None:
        view = self._view
        if view.set_shard(sender, shard_id):
            self._membership.soon_save()
        # A replica is in the shard of its primary, which may have been made up here before.
        if view.myself.primary is sender and view.set_shard(view.myself, shard_id):
            self._membership.soon_save(durably=True)
