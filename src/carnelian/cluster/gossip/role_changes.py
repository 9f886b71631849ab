"""Nodes that become primaries or replicas; this node among them."""

from __future__ import annotations

from carnelian.cluster.bus.bus_messages import BusMessage
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import mask_of, slots_in, slots_in_mask
from carnelian.cluster.member.membership import Membership


class RoleChanges:
    """What others say of their roles, and the change of ours."""

    def __init__(self, membership: Membership):
        self._membership = membership
        self._view = membership.view

    # -- Ours ------------------------------------------------------------------------------------

    def follow(self, primary: ClusterNode) -> None:
        """Be a replica of a node, which is another one; slots that this one has are nobody's."""
        view = self._view
        myself = view.myself
        # The data here is of no use to another shard, and must win no election there.
        anew = primary.shard_id != myself.shard_id
        view.give(slots_in(myself.slots), None)
        if myself.is_primary:
            view.close_slots()
        view.make_replica(myself, primary)
        view.set_shard(myself, primary.shard_id)
        self._membership.follow(primary, anew)
        self._membership.manual.reset()
        self._membership.soon_update(durably=True)

    def leave_chain(self) -> bool:
        """Follow the primary of our primary, if that has become a replica; whether it was so.

        Two that follow each other are left to an administrator.
        """
        myself = self._view.myself
        primary = myself.primary
        if primary is None or primary.primary is None or primary.primary is myself:
            return False
        other = primary.primary
        if not other.is_primary:
            # This is asked again with whatever our primary says: there may be more to come.
            return False
        self._membership.around.log(
            "notice",
            f"I'm a sub-replica! Reconfiguring myself as a replica of grandmaster {other.id} "
            f"({other.human_name})",
        )
        self.follow(other)
        return True

    # -- Those of others -------------------------------------------------------------------------

    def heed(self, sender: ClusterNode, message: BusMessage) -> None:
        """Take a node for what it says that it is."""
        view = self._view
        if not message.primary:
            if view.make_primary(sender):
                self._membership.soon_update()
            return
        primary = view.nodes_by_wire_id.get(message.primary)
        if primary is sender:
            return
        if (sender.is_primary or sender.slot_count) and not self._demote(sender, primary, message):
            return
        # A file may tell whom it follows, and not that it is a replica.
        is_new = sender.primary is not primary or not sender.is_replica
        if primary is not None and is_new:
            view.make_replica(sender, primary)
            view.set_shard(sender, primary.shard_id)
            self._membership.soon_save()
        if view.myself.primary is sender:
            self.leave_chain()

    def _demote(
        self, sender: ClusterNode, primary: ClusterNode | None, message: BusMessage
    ) -> bool:
        """A primary says that it is a replica now, or has said so before; whether it is believed.

        What it has said before it won an election may come late. That costs it no slots; but if it
        says so again, it is so.
        """
        view = self._view
        same_shard = primary is not None and primary.shard_id == sender.shard_id
        is_stale = sender.is_primary and same_shard and message.config_epoch < sender.config_epoch
        view.make_replica(sender, None)
        self._membership.soon_update()
        if is_stale and sender.slot_count:
            return False
        if same_shard and primary is not None and primary is not view.myself:
            self._hand_over(sender, primary, message)
        view.give(slots_in(sender.slots), None)
        return True

    def _hand_over(self, sender: ClusterNode, primary: ClusterNode, message: BusMessage) -> None:
        """A failover has taken place in a shard: what the new primary claims is told by the old
        one, which spares the slots to be without an owner until the new one is heard.
        """
        view = self._view
        view.make_primary(primary)
        if primary.config_epoch < message.config_epoch:
            primary.config_epoch = message.config_epoch
        claimed = slots_in_mask(mask_of(message.slots) & mask_of(sender.slots))
        view.give([slot for slot in claimed if slot not in view.importing_from], primary)
        self._membership.soon_save(durably=True)
