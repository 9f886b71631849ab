"""The time as Python's module says it is, which tests replace, and a way to move it on."""

from __future__ import annotations

import threading
import time
import weakref
from datetime import timedelta
from types import BuiltinFunctionType
from typing import TYPE_CHECKING

from carnelian.keyspace import clock

if TYPE_CHECKING:
    from carnelian.embedded.host import Host


_A_LITTLE_US = 1000


class PythonClock(clock.Clock):
    """A clock that goes by ``time.time()`` or ``time.time_ns()``, whoever has put another function
    in the place of either, and further by what :meth:`advance` has said.

    What replaces the function may leave the true time to threads of libraries; those of an engine
    go by what its users have seen last.
    """

    def __init__(self) -> None:
        self._seen_us = self._shift_us = 0
        self._hosts: weakref.WeakSet[Host] = weakref.WeakSet()
        super().__init__()

    def advance(self, seconds: float | timedelta) -> None:
        """Have that much time have gone by, for all engines of the clock: a millisecond more, so
        that what lasts so long is over.

        What is due by then is done at once: keys expire, blocking commands run out of time.

        Raises:
            ValueError: it is negative.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._shift_us += round(seconds * 1e6) + _A_LITTLE_US
        for host in list(self._hosts):
            host.moved()

    def attach(self, host: Host) -> None:
        """Tell this host whenever the clock is moved; engines do that for themselves."""
        self._hosts.add(host)

    def wall_us(self) -> int:
        """Microseconds since 1970, read now."""
        replaced = type(time.time) is not BuiltinFunctionType
        if not replaced and type(time.time_ns) is BuiltinFunctionType:
            return time.time_ns() // 1000 + self._shift_us
        if not self._seen_us or not threading.current_thread().name.startswith("carnelian-"):
            self._seen_us = round(time.time() * 1e6) if replaced else time.time_ns() // 1000
        return self._seen_us + self._shift_us

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that is never set back, read now."""
        return super().monotonic_ns() + self._shift_us * 1000

    def tick(self) -> int:
        """Read the time; the wall clock is not derived from another one."""
        now = super().tick()
        self.ms = self.wall_us() // 1000
        return now
