"""A failover, step by step: win the election, choose a replica, promote it, have all others follow.

Each step is taken by :meth:`FailingOver.advance`, except that the replica tells by its INFO that it
has become a primary (:mod:`carnelian.sentinel.watching.reporting`).
"""

from __future__ import annotations

import time

from carnelian.sentinel.known.instances import Obedience, Primary, Replica, Step
from carnelian.sentinel.known.roster import Roster
from carnelian.sentinel.known.watch import SimulatedFailure, Watch
from carnelian.sentinel.watching.election import Election
from carnelian.sentinel.watching.orders import follow

_ON_THE_WAY = (Obedience.SENT, Obedience.IN_PROGRESS)


class FailingOver:
    """Begins failovers, and brings them to their end."""

    def __init__(self, watch: Watch, roster: Roster, election: Election):
        self._watch = watch
        self._roster = roster
        self._election = election
        self._steps = {
            Step.WAIT_START: self._wait_for_election,
            Step.SELECT_SLAVE: self._choose,
            Step.SEND_SLAVEOF_NOONE: self._promote,
            Step.WAIT_PROMOTION: self._wait_for_promotion,
            Step.RECONF_SLAVES: self._have_followed,
        }

    # -- Beginning -------------------------------------------------------------------------------

    def begin_if_needed(self, primary: Primary) -> bool:
        """Begin a failover of a primary that is down for all, if none goes on or was tried lately;
        whether one was begun.
        """
        watch = self._watch
        if not primary.o_down or primary.failing_over:
            return False
        earliest = primary.failover_started + primary.failover_timeout * 2
        if watch.now < earliest:
            if primary.delay_logged != primary.failover_started:
                primary.delay_logged = primary.failover_started
                when = time.ctime(earliest // 1000)
                text = f"Next failover delay: I will not start a failover before {when}"
                watch.around.log("warning", text)
            return False
        self.begin(primary)
        return True

    def begin(self, primary: Primary) -> None:
        """Begin a failover, in an epoch of its own."""
        watch = self._watch
        primary.enter(Step.WAIT_START, watch.now)
        watch.current_epoch += 1
        primary.failover_epoch = watch.current_epoch
        watch.announce("warning", "+new-epoch", primary, f"{watch.current_epoch}")
        watch.event("warning", "+try-failover", primary)
        primary.failover_started = watch.now + self._election.delay()

    def advance(self, primary: Primary) -> None:
        """Take the step that a failover is at, if one goes on."""
        step = self._steps.get(primary.step)
        if step is not None:
            step(primary)

    def abort(self, primary: Primary) -> None:
        """Give a failover up, as long as nobody has become a primary by it."""
        primary.forced = False
        primary.enter(Step.NONE, self._watch.now)
        if primary.promoted is not None:
            primary.promoted.is_promoted = False
            primary.promoted = None

    # -- The steps -------------------------------------------------------------------------------

    def _wait_for_election(self, primary: Primary) -> None:
        watch = self._watch
        leader = self._election.leader(primary, primary.failover_epoch)
        if leader != watch.my_id and not primary.forced:
            patience = min(watch.periods.election_timeout, primary.failover_timeout)
            if watch.since(primary.failover_started) > patience:
                watch.event("warning", "-failover-abort-not-elected", primary)
                self.abort(primary)
            return
        watch.event("warning", "+elected-leader", primary)
        watch.crash_if(SimulatedFailure.AFTER_ELECTION)
        primary.enter(Step.SELECT_SLAVE, watch.now)
        watch.event("warning", "+failover-state-select-slave", primary)

    def _choose(self, primary: Primary) -> None:
        watch = self._watch
        chosen = self.best_replica(primary)
        if chosen is None:
            watch.event("warning", "-failover-abort-no-good-slave", primary)
            self.abort(primary)
            return
        watch.event("warning", "+selected-slave", chosen)
        chosen.is_promoted = True
        primary.promoted = chosen
        primary.enter(Step.SEND_SLAVEOF_NOONE, watch.now)
        watch.event("notice", "+failover-state-send-slaveof-noone", chosen)

    def _promote(self, primary: Primary) -> None:
        watch, chosen = self._watch, primary.promoted
        assert chosen is not None
        if chosen.link.disconnected:
            self._abort_if_late(primary)
        elif follow(watch, chosen, None):
            watch.event("notice", "+failover-state-wait-promotion", chosen)
            primary.enter(Step.WAIT_PROMOTION, watch.now)

    def _wait_for_promotion(self, primary: Primary) -> None:
        self._abort_if_late(primary)

    def _abort_if_late(self, primary: Primary) -> None:
        if self._watch.since(primary.step_since) > primary.failover_timeout:
            self._watch.event("warning", "-failover-abort-slave-timeout", primary)
            self.abort(primary)

    def _have_followed(self, primary: Primary) -> None:
        """Tell replicas to follow the new primary, a few at a time, until all do."""
        busy = sum(each.obedience in _ON_THE_WAY for each in primary.replicas.values())
        for replica in primary.replicas.values():
            if busy >= primary.parallel_syncs:
                break
            if self._tell(primary, replica):
                busy += 1
        self._end_if_done(primary)

    def _tell(self, primary: Primary, replica: Replica) -> bool:
        """Tell a replica to follow the new primary, unless it was told; whether it was just now."""
        watch = self._watch
        assert primary.promoted is not None
        if replica.is_promoted or replica.obedience is Obedience.DONE:
            return False
        asked = watch.since(replica.obedience_asked)
        if replica.obedience is Obedience.SENT and asked > watch.periods.slave_reconf_timeout:
            # Taken for done: it will be corrected later.
            watch.event("notice", "-slave-reconf-sent-timeout", replica)
            replica.obedience = Obedience.DONE
        if replica.obedience is not Obedience.NONE or replica.link.disconnected:
            return False
        if not follow(watch, replica, primary.promoted.address):
            return False
        replica.obedience = Obedience.SENT
        replica.obedience_asked = watch.now
        watch.event("notice", "+slave-reconf-sent", replica)
        return True

    def _end_if_done(self, primary: Primary) -> None:
        """End the failover when all replicas that can be reached follow, or when it is late."""
        watch, promoted = self._watch, primary.promoted
        if promoted is None or promoted.s_down:
            return
        late = watch.since(primary.step_since) > primary.failover_timeout
        left = [
            replica
            for replica in primary.replicas.values()
            if not (replica.is_promoted or replica.obedience is Obedience.DONE)
        ]
        if late:
            watch.event("warning", "+failover-end-for-timeout", primary)
        elif any(not replica.s_down for replica in left):
            return
        watch.event("warning", "+failover-end", primary)
        primary.enter(Step.UPDATE_CONFIG, watch.now)
        if late:
            for replica in left:
                self._tell_at_last(replica, promoted)

    def _tell_at_last(self, replica: Replica, promoted: Replica) -> None:
        """The last try for a replica that did not follow in time."""
        if replica.obedience is Obedience.SENT or replica.link.disconnected:
            return
        if follow(self._watch, replica, promoted.address):
            self._watch.event("notice", "+slave-reconf-sent-be", replica)
            replica.obedience = Obedience.SENT

    def finish(self, primary: Primary) -> None:
        """Watch the new primary in the place of the old one, if a failover has come so far."""
        if primary.step is not Step.UPDATE_CONFIG:
            return
        shown = self._watch.addresses.shown
        old = primary.address
        new = old if primary.promoted is None else primary.promoted.address
        text = f"{primary.name} {shown(old)} {old.port} {shown(new)} {new.port}"
        self._watch.announce("warning", "+switch-master", primary, text)
        self._roster.switch(primary, new)

    # -- Choosing --------------------------------------------------------------------------------

    def best_replica(self, primary: Primary) -> Replica | None:
        """The replica to promote, None if none will do.

        It is the one of the lowest priority, of those the one that has most of the data, of those
        the one whose ID comes first.
        """
        fit = [each for each in primary.replicas.values() if self._is_fit(primary, each)]
        return min(fit, key=_rank, default=None)

    def _is_fit(self, primary: Primary, replica: Replica) -> bool:
        """Whether it may be promoted: it is there, and has not been without its primary for much
        longer than that is down.
        """
        watch, periods = self._watch, self._watch.periods
        if replica.s_down or replica.link.disconnected or replica.priority == 0:
            return False
        if watch.since(replica.link.last_available) > periods.ping * 5:
            return False
        freshness = periods.ping * 5 if primary.s_down else periods.info * 3
        if watch.since(replica.info_refresh) > freshness:
            return False
        longest = primary.down_after * 10
        if primary.s_down:
            longest += watch.since(primary.s_down_since)
        return replica.link_down_ms <= longest


def _rank(replica: Replica) -> tuple:
    run_id = replica.run_id
    return replica.priority, -replica.offset, run_id is None, (run_id or "").lower()
