"""A manual failover that is under way, for the primary or for the replica that is to replace it."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.cluster.known.cluster_node import ClusterNode

# Milliseconds that it may take, and that a primary lets its clients wait for it.
TIMEOUT = 5000
PAUSE = 2 * TIMEOUT


class ManualState:
    """How far it is. Times are in milliseconds.

    Args:
        resume: lets the clients of a primary go on.
    """

    def __init__(self, resume: Callable[[], object]):
        self._resume = resume
        # When it is given up; 0 if none is under way.
        self.end = 0
        # For a primary: who is to replace it, for whom its clients are paused.
        self.replica: ClusterNode | None = None
        # For a replica: how far the primary's stream goes now that its clients are paused.
        self.primary_offset: int | None = None
        # For a replica: whether the others may be asked for their votes.
        self.can_start = False

    def __bool__(self) -> bool:
        """Whether one is under way."""
        return self.end != 0

    def begin(self, now: int) -> None:
        """Begin a new one."""
        self.reset()
        self.end = now + TIMEOUT

    def reset(self) -> None:
        """None is under way any more."""
        if self.replica is not None:
            self._resume()
        self.end = 0
        self.replica = None
        self.primary_offset = None
        self.can_start = False
