"""The time as Python's module says it is, which tests replace."""

from __future__ import annotations

import threading
import time
from types import BuiltinFunctionType

from carnelian.keyspace import clock


class PythonClock(clock.Clock):
    """A clock that goes by ``time.time_ns()``, whoever has put another function in its place.

    What replaces it may leave the true time to threads of libraries; those of an engine go by what
    its users have seen last.
    """

    def __init__(self) -> None:
        self._seen_us = 0
        super().__init__()

    def wall_us(self) -> int:
        """Microseconds since 1970, read now."""
        if isinstance(time.time_ns, BuiltinFunctionType):
            return time.time_ns() // 1000
        if self._seen_us and threading.current_thread().name.startswith("carnelian-"):
            return self._seen_us
        self._seen_us = time.time_ns() // 1000
        return self._seen_us

    def tick(self) -> int:
        """Read the time; the wall clock is not derived from another one."""
        now = super().tick()
        self.ms = self.wall_us() // 1000
        return now
