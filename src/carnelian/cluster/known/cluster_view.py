"""The cluster as one node sees it: nodes, who owns which slot, epochs, and whether all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from sys import intern

from carnelian.cluster.known import node_flags
from carnelian.cluster.known.bus_statistics import BusStatistics
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.forgotten_nodes import ForgottenNodes
from carnelian.cluster.known.slot_bitmap import (
    SLOTS,
    mask_of_slots,
    slots_in,
    with_slots,
    without_slots,
)
from carnelian.keyspace.clock import Clock

# Told of each slot whose owner has changed, after all of a change have been made.
SlotListener = Callable[[int, ClusterNode | None], object]


class ClusterView:
    """All that a node knows. :attr:`myself` is set by whoever fills the view.

    Args:
        clock: the time. The view has a time of its own, which goes on evenly from that of the wall
            at the beginning: a clock that is set does not make nodes seem to be dead.
        random: the source of IDs.
    """

    def __init__(self, clock: Clock, random: Random):
        self._clock = clock
        self._offset = clock.wall_us() // 1000 - clock.monotonic_ns() // 1_000_000
        self._random = random
        self.myself: ClusterNode = None  # type: ignore[assignment]
        self.nodes: dict[str, ClusterNode] = {}
        self.nodes_by_wire_id: dict[bytes, ClusterNode] = {}
        # Counts changes of the nodes.
        self.version = 0
        self.owners: list[ClusterNode | None] = [None] * SLOTS
        # Slots on their way from us and to us.
        self.migrating_to: dict[int, ClusterNode] = {}
        self.importing_from: dict[int, ClusterNode] = {}
        # Slots whose owner does not claim them any more, a bit for each.
        self.unclaimed = 0
        self.current_epoch = 0
        self.last_vote_epoch = 0
        # Called when commands begin or cease to be served, and when the role of this node changes.
        self.on_state: list[Callable[[], object]] = []
        self._is_ok = False
        # Why commands are not served.
        self.why_not_ok = "the node has just started"
        # Primaries with slots, as of the last evaluation; never 0, so that nobody has a quorum
        # by knowing nothing.
        self.size = 1
        self.forgotten = ForgottenNodes()
        self.statistics = BusStatistics()
        self.listeners: list[SlotListener] = []

    # -- Time ------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time of the view, in milliseconds."""
        return self._clock.monotonic_ns() // 1_000_000 + self._offset

    @property
    def skew(self) -> int:
        """Milliseconds by which the wall clock is ahead of the view."""
        return self._clock.wall_us() // 1000 - self.now

    def new_id(self) -> str:
        """40 random hexadecimal digits."""
        return f"{self._random.getrandbits(160):040x}"

    # -- State -----------------------------------------------------------------------------------

    @property
    def is_ok(self) -> bool:
        """Whether commands are served."""
        return self._is_ok

    @is_ok.setter
    def is_ok(self, value: bool) -> None:
        """Begin or cease to serve commands."""
        if value != self._is_ok:
            self._is_ok = value
            self._tell_state()

    def _tell_state(self) -> None:
        for hook in self.on_state:
            hook()

    # -- Nodes -----------------------------------------------------------------------------------

    def create(self, id: str | None = None, flags: int = 0) -> ClusterNode:
        """Add a node; it has a random ID if none is given, and always a random shard."""
        node = ClusterNode(id or self.new_id(), flags, self.now, self.new_id())
        self._add(node)
        return node

    def find(self, id: str) -> ClusterNode | None:
        """The node with an ID. O(1)"""
        return self.nodes.get(id)

    def remove(self, node: ClusterNode) -> None:
        """Know a node no more: its slots have no owner, its links are closed, what it has reported
        is void. O(n) in the nodes and slots
        """
        for slots in (self.migrating_to, self.importing_from):
            for slot in [slot for slot, other in slots.items() if other is node]:
                del slots[slot]
        self.give(slots_in(node.slots), None)
        for other in self.nodes.values():
            other.reports.pop(node, None)
        for replica in node.replicas:
            replica.primary = None
        if node.primary is not None:
            node.primary.remove_replica(node)
        self._drop(node)
        for link in (node.link, node.inbound_link):
            if link is not None:
                link.close()

    def rename(self, node: ClusterNode, id: str) -> None:
        """A node has turned out to be somebody."""
        self._drop(node)
        node.rename(id)
        self._add(node)

    def _drop(self, node: ClusterNode) -> None:
        self.version += 1
        del self.nodes[node.id], self.nodes_by_wire_id[node.wire_id]

    def _add(self, node: ClusterNode) -> None:
        self.version += 1
        self.nodes[node.id] = node
        self.nodes_by_wire_id[node.wire_id] = node

    @property
    def my_primary(self) -> ClusterNode | None:
        """Whom this node follows, if it is a replica of somebody known."""
        return self.myself.primary

    def shard_of(self, node: ClusterNode) -> list[ClusterNode]:
        """Who serves the slots of a node: its primary, and the replicas of that."""
        leader = node.leader
        return [leader, *leader.replicas]

    def set_shard(self, node: ClusterNode, shard_id: str) -> bool:
        """Put a node into a shard; whether it was in another."""
        if node.shard_id == shard_id:
            return False
        node.shard_id = intern(shard_id)
        return True

    # -- Slots -----------------------------------------------------------------------------------

    def give(self, slots: Iterable[int], node: ClusterNode | None) -> list[int]:
        """Let slots have another owner, or none: those that did not have it yet. O(slots)"""
        owners = self.owners
        changed = [slot for slot in slots if owners[slot] is not node]
        if not changed:
            return changed
        taken: dict[ClusterNode, list[int]] = {}
        for slot in changed:
            owner = owners[slot]
            if owner is not None:
                taken.setdefault(owner, []).append(slot)
            owners[slot] = node
        for owner, lost in taken.items():
            owner.slots = without_slots(owner.slots, lost)
            owner.slot_count -= len(lost)
        if self.unclaimed:
            self.unclaimed &= ~mask_of_slots(changed)
        if node is not None:
            self._receive(node, changed)
        for listener in self.listeners:
            for slot in changed:
                listener(slot, node)
        return changed

    def _receive(self, node: ClusterNode, slots: list[int]) -> None:
        if not node.slot_count and any(
            bool(other.replicas) for other in self.nodes.values() if not other.is_replica
        ):
            # Where primaries have replicas, one that is new to slots may get some from others.
            node.flags |= node_flags.MIGRATE_TO
        node.slots = with_slots(node.slots, slots)
        node.slot_count += len(slots)

    def is_unclaimed(self, slot: int) -> bool:
        """Whether a slot has no owner, or one that does not claim it any more."""
        return self.owners[slot] is None or bool(self.unclaimed >> slot & 1)

    def close_slots(self) -> None:
        """No slot is on its way any more."""
        self.migrating_to.clear()
        self.importing_from.clear()

    # -- Epochs ----------------------------------------------------------------------------------

    def max_epoch(self) -> int:
        """The greatest epoch that is known of. O(n)"""
        epochs = [node.config_epoch for node in self.nodes.values()]
        return max(self.current_epoch, *epochs)

    @property
    def quorum(self) -> int:
        """How many primaries are a majority."""
        return self.size // 2 + 1

    # -- Roles -----------------------------------------------------------------------------------

    def make_primary(self, node: ClusterNode) -> bool:
        """Let a node be a primary; whether it was none."""
        if node.is_primary:
            return False
        if node.primary is not None:
            node.primary.remove_replica(node)
            if not node.is_myself:
                node.flags |= node_flags.MIGRATE_TO
        node.flags = node.flags & ~node_flags.REPLICA | node_flags.PRIMARY
        node.primary = None
        if node.is_myself:
            self._tell_state()
        return True

    def make_replica(self, node: ClusterNode, primary: ClusterNode | None) -> None:
        """Let a node be a replica, of somebody or of one that is not known."""
        if node.is_primary or not node.is_replica:
            node.flags &= ~(node_flags.PRIMARY | node_flags.MIGRATE_TO)
            node.flags |= node_flags.REPLICA
        if primary is None or node.primary is primary:
            return
        if node.primary is not None:
            node.primary.remove_replica(node)
        node.primary = primary
        primary.add_replica(node)
        if node.is_myself:
            self._tell_state()
