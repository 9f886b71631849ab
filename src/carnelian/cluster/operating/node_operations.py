"""What administrators have a node do about others and itself."""

from __future__ import annotations

from carnelian.cluster.gossip.handshakes import Handshakes
from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.known.cluster_errors import ClusterError, UnknownNode
from carnelian.cluster.known.cluster_node import BUS_PORT_DISTANCE, ClusterNode
from carnelian.cluster.known.slot_bitmap import slots_in
from carnelian.cluster.member.membership import Membership


class NodeOperations:
    """Each raises ClusterError if it cannot be, and changes nothing then."""

    def __init__(self, membership: Membership, handshakes: Handshakes, roles: RoleChanges):
        self._membership = membership
        self._view = membership.view
        self._handshakes = handshakes
        self._roles = roles

    def node(self, id: str) -> ClusterNode:
        """The node with an ID."""
        node = self._view.find(id)
        if node is None:
            raise UnknownNode(f"Unknown node {id}")
        return node

    def meet(self, ip: str, port: int, bus_port: int | None) -> None:
        """Get to know who is at an address."""
        bus = port + BUS_PORT_DISTANCE if bus_port is None else bus_port
        self._handshakes.begin(ip, port, bus)

    def forget(self, id: str) -> None:
        """Know a node no more."""
        node = self.node(id)
        if node.is_myself:
            raise ClusterError("I tried hard but I can't forget myself...")
        if node is self._view.myself.primary:
            raise ClusterError("Can't forget my master!")
        self._view.forgotten.add(node.id, self._view.now)
        self._view.remove(node)
        self._membership.soon_update()

    def replicate(self, id: str) -> None:
        """Be a replica of a node."""
        node, myself = self.node(id), self._view.myself
        if node is myself:
            raise ClusterError("Can't replicate myself")
        if node.is_replica:
            raise ClusterError("I can only replicate a master, not a replica.")
        if myself.is_primary and (myself.slot_count or self._membership.around.has_keys()):
            raise ClusterError("To set a master the node must be empty and without assigned slots.")
        self._roles.follow(node)

    def reset(self, hard: bool) -> None:
        """Know nobody, own nothing, be a primary."""
        membership, view = self._membership, self._view
        myself = view.myself
        if myself.is_primary and membership.around.has_keys():
            raise ClusterError("CLUSTER RESET can't be called with master nodes containing keys")
        if myself.is_replica:
            view.make_primary(myself)
            membership.around.lead()
            membership.around.flush()
            view.set_shard(myself, view.new_id())
        view.close_slots()
        membership.manual.reset()
        for node in list(view.nodes.values()):
            view.give(slots_in(node.slots), None)
            if node is not myself:
                view.remove(node)
        view.forgotten.clear()
        if hard:
            self._renew()
        membership.soon_update(durably=True)

    def _renew(self) -> None:
        """Be a node that nobody knows."""
        view = self._view
        view.current_epoch = view.last_vote_epoch = view.myself.config_epoch = 0
        view.rename(view.myself, view.new_id())
        view.set_shard(view.myself, view.new_id())
        self._membership.around.log("notice", f"Node hard reset, now I'm {view.myself.id}")

    def set_config_epoch(self, epoch: int) -> None:
        """Give an epoch to this node, which is new."""
        view = self._view
        if epoch < 0:
            raise ClusterError(f"Invalid config epoch specified: {epoch}")
        if len(view.nodes) > 1:
            raise ClusterError(
                "The user can assign a config epoch only when the node does not know any other "
                "node."
            )
        if view.myself.config_epoch:
            raise ClusterError("Node config epoch is already non-zero")
        view.myself.config_epoch = epoch
        view.current_epoch = max(view.current_epoch, epoch)
        self._membership.around.log(
            "notice", f"configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH"
        )
        self._membership.soon_update()
