"""A replica stands for its primary: when it may, when it begins, and when it has won."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.slot_bitmap import slots_in
from carnelian.cluster.member.membership import Membership

# Milliseconds: for votes, at least; before votes are asked for, so that all hear of the failure;
# at most as much again at random; and for each replica that has more of the data.
_LEAST_TIMEOUT = 2000
_DELAY = 500
_RANK_DELAY = 1000
# When it is told again why there is no election, and not before a failure is so old.
_TELL_AGAIN = 10_000
_TELL_AFTER = 5000


class Obstacle(Enum):
    """Why a replica does not take the place of its primary, though that has failed."""

    NONE = ""
    DATA_AGE = (
        "Disconnected from master for longer than allowed. Please check the "
        "'cluster-replica-validity-factor' configuration option."
    )
    WAITING_DELAY = "Waiting the delay before I can start a new failover."
    EXPIRED = "Failover attempt expired."
    WAITING_VOTES = "Waiting for votes, but majority still not reached."


class ReplicaElection:
    """The election in which this node is a candidate."""

    def __init__(
        self, membership: Membership, messenger: Messenger, evaluate: Callable[[], object]
    ):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._evaluate = evaluate
        # When the last one begins or has begun, None if there was none.
        self._start: int | None = None
        # Whom it is to replace.
        self._replaced: ClusterNode | None = None
        self._asked = False
        self._rank = 0
        self.epoch = 0
        self._voters: set[str] = set()
        self._obstacle = Obstacle.NONE
        self._told = 0

    def count(self, voter: ClusterNode, current_epoch: int) -> None:
        """A node has voted for us. Only primaries with slots may, and not for an election that
        is over.
        """
        if self._asked and voter.is_primary and voter.slot_count and current_epoch >= self.epoch:
            self._voters.add(voter.id)
            self._membership.soon_fail_over()

    def reset(self) -> None:
        """What was planned or has been is void: the next one may begin at once."""
        self._start = self._replaced = None
        self._asked = False
        self._voters.clear()

    def advance(self) -> None:
        """Do the next step, if there is one to do now."""
        self._membership.must_fail_over = False
        if not self._is_called_for():
            self._obstacle = Obstacle.NONE
            return
        manual = self._membership.manual
        is_manual = bool(manual) and manual.can_start
        if not is_manual and not self._has_recent_data():
            self._stay(Obstacle.DATA_AGE)
            return
        if self._view.myself.primary is not self._replaced:
            # Votes are for the replacement of one primary.
            self.reset()
        now = self._view.now
        timeout = max(self._membership.settings.node_timeout * 2, _LEAST_TIMEOUT)
        if self._start is None or now - self._start > timeout * 2:
            self._plan(now)
            return
        if not self._asked and not manual:
            self._heed_rank()
        if now < self._start:
            self._stay(Obstacle.WAITING_DELAY)
        elif now - self._start > timeout:
            self._stay(Obstacle.EXPIRED)
        elif not self._asked:
            self._ask()
        elif len(self._voters) >= self._view.quorum:
            self._win()
        else:
            self._stay(Obstacle.WAITING_VOTES)

    # -- Conditions ------------------------------------------------------------------------------

    def _is_called_for(self) -> bool:
        myself, membership = self._view.myself, self._membership
        primary = myself.primary
        if myself.is_primary or primary is None or not primary.slot_count:
            return False
        if membership.manual and membership.manual.can_start:
            return True
        return primary.has_failed and not membership.settings.replica_no_failover

    def _has_recent_data(self) -> bool:
        settings = self._membership.settings
        if not settings.replica_validity_factor:
            return True
        age = self._membership.around.data_age()
        if age is None:
            return False
        # It takes the primary one timeout to be found to have failed.
        if age > settings.node_timeout:
            age -= settings.node_timeout
        most = settings.node_timeout * settings.replica_validity_factor
        return age <= settings.repl_ping_period * 1000 + most

    def _find_rank(self) -> int:
        """How many replicas of our primary have more of its data and may stand for it."""
        myself = self._view.myself
        offset = self._membership.around.offset()
        return sum(
            node is not myself and not node.cannot_fail_over and node.repl_offset > offset
            for node in (myself.primary.replicas if myself.primary else ())
        )

    # -- Steps -----------------------------------------------------------------------------------

    def _plan(self, now: int) -> None:
        """Decide when to ask for votes: who has most of the data is to be first."""
        self.reset()
        self._replaced = self._view.myself.primary
        self._rank = 0
        self._start = now
        if self._membership.manual:
            self._membership.soon_fail_over()
        else:
            self._rank = self._find_rank()
            chance = self._membership.host.random.randrange(_DELAY)
            self._start += _DELAY + chance + self._rank * _RANK_DELAY
        self._membership.around.log(
            "notice",
            f"Start of election delayed for {self._start - now} milliseconds "
            f"(rank #{self._rank}, offset {self._membership.around.offset()}).",
        )
        self._messenger.tell_siblings()

    def _heed_rank(self) -> None:
        """Others may have told since that they have more."""
        rank = self._find_rank()
        if rank <= self._rank or self._start is None:
            return
        delay = (rank - self._rank) * _RANK_DELAY
        self._start += delay
        self._rank = rank
        self._membership.around.log(
            "notice", f"Replica rank updated to #{rank}, added {delay} milliseconds of delay."
        )

    def _ask(self) -> None:
        """Ask all primaries for their votes, in an epoch that is on the disk before they hear."""
        self._view.current_epoch += 1
        self.epoch = self._view.current_epoch
        # Who has won, and is a primary by then, must not let somebody else win in the same epoch.
        self._view.last_vote_epoch = self.epoch
        self._asked = True
        self._membership.around.log(
            "notice", f"Starting a failover election for epoch {self.epoch}."
        )
        self._membership.save_or_give_up()
        self._messenger.ask_for_votes(bool(self._membership.manual))
        self._membership.soon_evaluate()

    def _win(self) -> None:
        myself = self._view.myself
        self._membership.around.log("notice", "Failover election won: I'm the new master.")
        if myself.config_epoch < self.epoch:
            myself.config_epoch = self.epoch
            self._membership.around.log(
                "notice", f"configEpoch set to {self.epoch} after successful failover"
            )
        self.replace_primary()

    def replace_primary(self) -> None:
        """Be the primary of the slots that ours had, and tell all. An epoch for that has been
        taken already.
        """
        view = self._view
        myself = view.myself
        old = myself.primary
        if myself.is_primary or old is None:
            return
        view.make_primary(myself)
        self._membership.around.lead()
        view.give(slots_in(old.slots), myself)
        self._evaluate()
        self._membership.save_or_give_up()
        self._messenger.tell_all()
        self._membership.manual.reset()
        self.reset()

    # -- Log -------------------------------------------------------------------------------------

    def _stay(self, obstacle: Obstacle) -> None:
        """Tell why nothing happens: when that changes or has lasted, and not of short waits."""
        now = self._view.now
        if obstacle is self._obstacle and now - self._told < _TELL_AGAIN:
            return
        self._obstacle = obstacle
        primary = self._view.myself.primary
        quiet = self._membership.settings.node_timeout + _TELL_AFTER
        if primary is not None and primary.has_failed and now - primary.fail_time < quiet:
            return
        self._told = now
        self._membership.around.log("notice", f"Currently unable to failover: {obstacle.value}")
