"""Slots that administrators give, take, and move."""

from __future__ import annotations

from collections.abc import Iterable

from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.gossip.slot_claims import SlotClaims
from carnelian.cluster.known.cluster_errors import ClusterError, UnknownNode
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import mask_of_slots, slots_in
from carnelian.cluster.member.membership import Membership


class SlotOperations:
    """Each raises ClusterError if it cannot be, and changes nothing then."""

    def __init__(
        self, membership: Membership, messenger: Messenger, roles: RoleChanges, claims: SlotClaims
    ):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._roles = roles
        self._claims = claims

    def add(self, slots: Iterable[int]) -> None:
        """Take slots that have no owner."""
        chosen = self._choose(slots, owned=False)
        self._give(chosen, self._view.myself)

    def delete(self, slots: Iterable[int]) -> None:
        """Let slots have no owner."""
        chosen = self._choose(slots, owned=True)
        self._give(chosen, None)

    def flush(self) -> None:
        """Let all of ours have no owner."""
        if self._membership.around.has_keys():
            raise ClusterError("DB must be empty to perform CLUSTER FLUSHSLOTS.")
        self._view.give(slots_in(self._view.myself.slots), None)
        self._membership.soon_update()

    def _choose(self, slots: Iterable[int], owned: bool) -> list[int]:
        chosen: dict[int, None] = {}
        for slot in slots:
            owner = self._view.owners[slot]
            if owned and owner is None:
                raise ClusterError(f"Slot {slot} is already unassigned")
            if not owned and owner is not None:
                raise ClusterError(f"Slot {slot} is already busy")
            if slot in chosen:
                raise ClusterError(f"Slot {slot} specified multiple times")
            chosen[slot] = None
        return list(chosen)

    def _give(self, slots: list[int], owner: ClusterNode | None) -> None:
        for slot in slots:
            self._view.importing_from.pop(slot, None)
        self._view.give(slots, owner)
        self._membership.soon_update()

    # -- On their way ----------------------------------------------------------------------------
    # Whether all is well depends on who owns slots alone, so that it is not evaluated for these.

    def set_migrating(self, slot: int, id: str) -> None:
        """A slot of ours is on its way to a node."""
        self._check_role()
        if self._view.owners[slot] is not self._view.myself:
            raise ClusterError(f"I'm not the owner of hash slot {slot}")
        self._view.migrating_to[slot] = self._primary(id, "I don't know about node")
        self._membership.soon_note([slot])

    def set_importing(self, slot: int, id: str) -> None:
        """A slot of others is on its way to us."""
        self._check_role()
        if self._view.owners[slot] is self._view.myself:
            raise ClusterError(f"I'm already the owner of hash slot {slot}")
        self._view.importing_from[slot] = self._primary(id, "I don't know about node")
        self._membership.soon_note([slot])

    def set_stable(self, slot: int) -> None:
        """A slot is not on its way."""
        self._check_role()
        self._view.importing_from.pop(slot, None)
        self._view.migrating_to.pop(slot, None)
        self._membership.soon_note([slot])

    def set_owner(self, slot: int, id: str) -> None:
        """A slot has an owner."""
        self._check_role()
        view = self._view
        myself = view.myself
        node = self._primary(id, "Unknown node")
        was_ours = view.owners[slot] is myself
        has_keys = self._membership.around.count_keys(slot) > 0
        if was_ours and node is not myself and has_keys:
            raise ClusterError(
                f"Can't assign hashslot {slot} to a different node while I still hold keys for "
                "this hash slot."
            )
        if not has_keys:
            view.migrating_to.pop(slot, None)
        view.give([slot], node)
        self._membership.soon_note([slot])
        self._membership.soon_evaluate()
        if node is not myself:
            if was_ours:
                self._follow_last_slot(node)
        elif slot in view.importing_from:
            # It is ours on the disk, too, before anybody hears of it.
            del view.importing_from[slot]
            if self._claims.bump_epoch():
                self._membership.around.log(
                    "notice", f"configEpoch updated after importing slot {slot}"
                )
            else:
                self._membership.note_or_give_up()
            self._messenger.tell_all_soon()

    def claim(self, slots: Iterable[int], promised_ms: int = 0) -> None:
        """Take slots with a new epoch, and tell all."""
        self._check_role()
        view = self._view
        chosen = list(slots)
        former = view.owners[chosen[0]] if chosen else None
        if promised_ms and former is not None:
            until = view.now + promised_ms
            self._membership.handovers.take(mask_of_slots(chosen), former, until)
        for slot in chosen:
            view.importing_from.pop(slot, None)
        view.give(chosen, view.myself)
        if not self._claims.bump_epoch():
            # It is ours alone already, but that these slots are ours must outlive us, too.
            self._membership.save_or_give_up()
        self._messenger.tell_all()
        self._membership.soon_evaluate()

    def promise(self, slots: Iterable[int], node: ClusterNode) -> None:
        """Let a node take slots of ours, whatever its epoch."""
        self._membership.handovers.promise(mask_of_slots(slots), node)

    def withdraw_promise(self) -> None:
        """Let epochs decide again."""
        self._membership.handovers.withdraw()

    def _follow_last_slot(self, node: ClusterNode) -> None:
        """Who has given its last slot away follows it."""
        allowed = self._membership.settings.allow_replica_migration
        if self._view.myself.slot_count or not allowed:
            return
        self._membership.around.log(
            "notice",
            "Configuration change detected. Reconfiguring myself as a replica of "
            f"{node.id} ({node.human_name})",
        )
        self._roles.follow(node)

    def _check_role(self) -> None:
        if self._view.myself.is_replica:
            raise ClusterError("Please use SETSLOT only with masters.")

    def _primary(self, id: str, unknown: str) -> ClusterNode:
        node = self._view.find(id)
        if node is None:
            raise UnknownNode(f"{unknown} {id}")
        if node.is_replica:
            raise ClusterError("Target node is not a master")
        return node

    # -- Slots and keys --------------------------------------------------------------------------

    def compare_with_keys(self) -> None:
        """After the data has been read: who has keys of a slot that has no owner takes it; those
        of a slot of somebody else, which is not on its way to us, are older than what that has.
        """
        view, around = self._view, self._membership.around
        if view.myself.is_replica:
            return
        if around.has_other_databases():
            raise ClusterError("there are keys in other databases than 0")
        claimed, strange = [], []
        for slot, owner in enumerate(view.owners):
            if owner is view.myself or slot in view.importing_from or not around.count_keys(slot):
                continue
            if owner is None:
                around.log(
                    "warning", f"There are keys of slot {slot}, which nobody has: it is ours"
                )
                claimed.append(slot)
            else:
                around.log(
                    "notice",
                    f"There are keys of slot {slot}, which node {owner.id} has: they are deleted",
                )
                strange.append(slot)
        if strange:
            around.slots_lost(strange)
        if claimed:
            view.give(claimed, view.myself)
            self._membership.save_or_give_up()
