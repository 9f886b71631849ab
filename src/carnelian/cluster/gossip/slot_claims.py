"""Who owns a slot: claims with a newer epoch win, and who has not heard of them is told."""

from __future__ import annotations

from carnelian.cluster.bus.bus_messages import BusMessage, Claim
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import mask_of, mask_of_slots, slots_in_mask
from carnelian.cluster.member.membership import Membership


class SlotClaims:
    """Heeds what primaries claim, and settles claims that collide."""

    def __init__(self, membership: Membership, messenger: Messenger, roles: RoleChanges):
        self._membership = membership
        self._view = membership.view
        self._handovers = membership.handovers
        self._messenger = messenger
        self._roles = roles

    def compare(self, sender: ClusterNode, message: BusMessage) -> None:
        """A node has told of its slots, or of those of its primary."""
        view, leader = self._view, sender.leader
        if (sender.is_primary or sender.primary is not None) and leader.slots != message.slots:
            if sender.is_primary:
                self._outdo_former_owner(sender)
                self.claim(sender, message.config_epoch, message.slots)
            self._correct(sender, message)
        elif sender.is_primary:
            self._handovers.heard(sender, 0)
            if view.unclaimed:
                # It has claimed again what it had let go.
                view.unclaimed &= ~mask_of(message.slots)
        if (
            sender.is_primary
            and view.myself.is_primary
            and message.config_epoch == view.myself.config_epoch
        ):
            self._settle_collision(sender)

    def update(self, about: Claim) -> None:
        """Somebody tells of the slots of a node, which we seem not to know."""
        node = self._view.nodes_by_wire_id.get(about.id)
        if node is None or node.config_epoch >= about.config_epoch:
            return
        if node is self._view.myself:
            self._membership.around.log("notice", "Discarding an UPDATE about this node itself.")
            return
        self._view.make_primary(node)
        node.config_epoch = about.config_epoch
        self._membership.soon_update(durably=True)
        self.claim(node, about.config_epoch, about.slots)

    # -- Claims ----------------------------------------------------------------------------------

    def claim(self, node: ClusterNode, epoch: int, slots: bytes) -> None:
        """A primary claims slots with an epoch: it gets those whose owners have an older one.

        What this node loses by it decides whether it becomes a replica of the new owner.
        """
        view = self._view
        myself = view.myself
        ours = myself.leader
        claimed, known = mask_of(slots), mask_of(node.slots)
        view.unclaimed = view.unclaimed & ~(claimed & known) | known & ~claimed
        taken = slots_in_mask(self._yielding(node, claimed & ~known, epoch))
        lost = [slot for slot in taken if view.owners[slot] is ours]
        dirty: list[int] = []
        if ours is myself:
            dirty = [slot for slot in lost if self._membership.around.count_keys(slot)]
        if taken:
            view.give(taken, node)
            self._membership.soon_note(taken, durably=True)
            self._membership.soon_evaluate()
        self._handovers.heard(node, claimed)
        self._adapt(node, lost, dirty, claimed.bit_count())

    def _yielding(self, node: ClusterNode, claimed: int, epoch: int) -> int:
        """Which slots of a set their owners give up for a node's claim with an epoch. What is on
        its way to us stays with whom it is until an administrator says that it has come.
        """
        view, handovers = self._view, self._handovers
        kept = 0
        if claimed:
            for owner in view.nodes.values():
                if owner.slot_count and owner.config_epoch >= epoch:
                    kept |= mask_of(owner.slots)
        ours = mask_of(view.myself.slots)
        free = view.unclaimed | ours & handovers.promised_to(node)
        kept = kept & ~free | ours & handovers.taken_from(node, view.now)
        return claimed & ~kept & ~mask_of_slots(view.importing_from)

    def _outdo_former_owner(self, node: ClusterNode) -> None:
        """Have a greater epoch than a node from which we have taken slots, and which has got a new
        one meanwhile: all others go by epochs.
        """
        view = self._view
        taken = self._handovers.taken_from(node, view.now)
        if taken and node.config_epoch >= view.myself.config_epoch and self.bump_epoch():
            self._messenger.tell_all()

    def _adapt(self, node: ClusterNode, lost: list[int], dirty: list[int], claimed: int) -> None:
        myself = self._view.myself
        settings = self._membership.settings
        # All that our shard had has gone to one that has nothing else: it is the shard's.
        is_of_shard = claimed == len(lost)
        if (
            lost
            and not myself.leader.slot_count
            and (settings.allow_replica_migration or is_of_shard)
        ):
            self._membership.around.log(
                "notice",
                "Configuration change detected. Reconfiguring myself as a replica of "
                f"{node.id} ({node.human_name})",
            )
            self._roles.follow(node)
        elif not self._roles.leave_chain() and dirty:
            # We go on without these slots, so their keys have to go.
            self._membership.around.slots_lost(dirty)

    # -- Conflicts -------------------------------------------------------------------------------

    def _correct(self, sender: ClusterNode, message: BusMessage) -> None:
        """Tell a node of those who have slots that it believes to be its own, with newer epochs."""
        view = self._view
        claimed = mask_of(message.slots) & ~view.unclaimed
        for owner in view.nodes.values():
            if (
                owner.config_epoch > message.config_epoch
                and owner.slot_count
                and owner is not sender
                and mask_of(owner.slots) & claimed
            ):
                self._membership.around.log(
                    "verbose",
                    f"Node {sender.id} does not know yet which slots {owner.id} has: told so",
                )
                self._messenger.update(sender, owner)

    def _settle_collision(self, other: ClusterNode) -> None:
        """Two primaries have one epoch: who has the smaller ID takes a new one."""
        view = self._view
        myself = view.myself
        if other.config_epoch != myself.config_epoch or other.id <= myself.id:
            return
        view.current_epoch += 1
        myself.config_epoch = view.current_epoch
        self._membership.save_or_give_up()
        self._membership.around.log(
            "verbose",
            f"Node {other.id} has the epoch of this one, which is {myself.config_epoch} now",
        )

    def bump_epoch(self) -> bool:
        """Take a new epoch that nobody was asked for, unless ours is the greatest already; whether
        that was so. It is on the disk before anybody hears of it.
        """
        view = self._view
        myself = view.myself
        if myself.config_epoch and myself.config_epoch == view.max_epoch():
            return False
        view.current_epoch += 1
        myself.config_epoch = view.current_epoch
        self._membership.save_or_give_up()
        self._membership.around.log("notice", f"New configEpoch set to {myself.config_epoch}")
        return True
