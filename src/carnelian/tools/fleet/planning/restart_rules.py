"""What to do about a node that has ended: wait, have a replica take over, or start it again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Seconds before a node is started again: the first time, and at most.
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
# A node that has run for so long begins with the first delay again.
STEADY_SECONDS = 30.0
# Time for a replica to notice that the link to its primary is gone.
_NOTICE = 1.0


class Step(Enum):
    """What is to be done now."""

    WAIT = "wait"
    START = "start"
    TAKE_OVER = "take over"


@dataclass(frozen=True)
class Circumstances:
    """What is known of a node that has ended.

    Args:
        down: seconds since it ended.
        failures: how often it has ended soon after its start, one after the other.
        owns_slots: it is a primary with slots, for those that are left.
        heir: a replica of it runs and was up to date when it ended.
        electable: the primaries that are left are enough for an election.
        node_timeout: seconds after which nodes take it for dead.
    """

    down: float
    failures: int
    owns_slots: bool
    heir: bool
    electable: bool
    node_timeout: float


def delay(failures: int) -> float:
    """Seconds from the end of a node to its next start."""
    return min(FIRST_DELAY * 2.0 ** min(failures, 16), LONGEST_DELAY)


def failover_patience(node_timeout: float) -> float:
    """Seconds in which replicas have failed over, or will not.

    That is the time until it counts as dead, and two elections.
    """
    return 3 * node_timeout + 5.0


def next_step(case: Circumstances) -> Step:
    """What to do now.

    A primary whose replica can take its place is not started before that: it would come back with
    what it had on disk, and might be believed. Where too few primaries are left to elect anybody,
    as in a fleet of one or two shards, the replica is told to take over: that the primary is dead
    is certain here, which nodes can only guess.
    """
    if case.owns_slots and case.heir:
        if not case.electable and case.down >= _NOTICE:
            return Step.TAKE_OVER
        if case.down < failover_patience(case.node_timeout):
            return Step.WAIT
    return Step.START if case.down >= delay(case.failures) else Step.WAIT
