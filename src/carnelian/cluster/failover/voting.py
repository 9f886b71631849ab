"""Whom a primary votes for."""

from __future__ import annotations

from carnelian.cluster.bus.bus_messages import FORCE_ACK, BusMessage
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import mask_of
from carnelian.cluster.member.membership import Membership

# Timeouts between two votes for replicas of one primary.
_PAUSE = 2


class Voting:
    """One vote in an epoch, and for a replica only that replaces a primary that has failed."""

    def __init__(self, membership: Membership, messenger: Messenger):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger

    def vote(self, candidate: ClusterNode, request: BusMessage) -> None:
        """A node asks for our vote. Who has no slots has none."""
        view = self._view
        if not view.myself.is_primary or not view.myself.slot_count:
            return
        reason = self._objection(candidate, request)
        name = f"{candidate.id} ({candidate.human_name})"
        log = self._membership.around.log
        newer = None
        if not reason:
            newer, reason = self._find_newer_owner(request)
        if reason:
            log("warning", f"Failover auth denied to {name}: {reason}")
            if newer is not None:
                # It would ask in vain for ever: nothing else tells of an epoch without new slots.
                self._messenger.update(candidate, newer)
            return
        assert candidate.primary is not None
        # Nobody hears of a vote that might be given again after a crash.
        view.last_vote_epoch = view.current_epoch
        candidate.primary.voted_time = view.now
        self._membership.save_or_give_up()
        self._messenger.vote(candidate)
        log("notice", f"Failover auth granted to {name} for epoch {view.current_epoch}")

    def _objection(self, candidate: ClusterNode, request: BusMessage) -> str:
        """Why not to vote for a node, "" if nothing is against it."""
        view = self._view
        if request.current_epoch < view.current_epoch:
            return f"reqEpoch ({request.current_epoch}) < curEpoch({view.current_epoch})"
        if view.last_vote_epoch >= view.current_epoch:
            return f"already voted for epoch {view.current_epoch}"
        if candidate.is_primary:
            return "it is a master node"
        primary = candidate.primary
        if primary is None:
            return "I don't know its master"
        if not primary.has_failed and not request.message_flags & FORCE_ACK:
            return "its master is up"
        pause = self._membership.settings.node_timeout * _PAUSE
        waited = view.now - primary.voted_time
        if waited < pause:
            return f"can't vote about this master before {pause - waited} milliseconds"
        return ""

    def _find_newer_owner(self, request: BusMessage) -> tuple[ClusterNode | None, str]:
        """Who has slots that are asked for, with a newer epoch, and what to say then."""
        claimed = mask_of(request.slots) & ~self._view.unclaimed
        for owner in self._view.nodes.values():
            if owner.slot_count and owner.config_epoch > request.config_epoch:
                both = mask_of(owner.slots) & claimed
                if both:
                    slot = (both & -both).bit_length() - 1
                    return owner, (
                        f"slot {slot} epoch ({owner.config_epoch}) > "
                        f"reqEpoch ({request.config_epoch})"
                    )
        return None, ""
