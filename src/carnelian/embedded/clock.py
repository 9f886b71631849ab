"""A clock for engines whose time is to stand still."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING

from carnelian.keyspace import clock

if TYPE_CHECKING:
    from carnelian.embedded.host import Host


class ManualClock(clock.ManualClock):
    """A clock that moves only when it is told to: ``Engine(clock=ManualClock())``.

    Moving it does at once what is due by then in the engines that use it: keys expire, blocking
    commands run out of time.

    Args:
        ms: where it begins, in milliseconds since 1970; at the present time if None.
    """

    def __init__(self, ms: int | None = None):
        super().__init__(time.time_ns() // 1_000_000 if ms is None else ms)
        self._hosts: weakref.WeakSet[Host] = weakref.WeakSet()

    def advance(self, ms: int) -> None:
        """Move on by so many milliseconds, at least 0."""
        if ms < 0:
            raise ValueError("time does not run backwards")
        super().advance(ms)
        for host in list(self._hosts):
            host.tick()

    def attach(self, host: Host) -> None:
        """Tell this host whenever the clock moves; engines do that for themselves."""
        self._hosts.add(host)
