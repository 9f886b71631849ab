"""The one source of time: nothing else reads a clock, so that time can be frozen and moved."""

from __future__ import annotations

import cython
from cython.cimports.libc.stdint import int64_t
from cython.cimports.posix.time import CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def monotonic() -> int64_t:
    """What the system's clock says that is never set back."""
    now = cython.declare(timespec)
    clock_gettime(CLOCK_MONOTONIC, cython.address(now))
    return cython.cast(int64_t, now.tv_sec) * 1000000000 + now.tv_nsec


@cython.cclass
class Clock:
    """The time of the system.

    ``ns`` is a clock that is never set back, for durations; ``ms`` the wall clock in milliseconds
    since 1970. Both are as of the last :meth:`tick`. The engine ticks between commands, so that
    each sees one time from its beginning to its end.
    """

    def __init__(self):
        self.synchronize()

    def tick(self) -> int64_t:
        """Read the time into ``ns`` and ``ms`` and return ``ns``.

        One system clock is read for both: what is between them is found by :meth:`synchronize`.
        """
        self.ns = monotonic() if type(self) is Clock else self.monotonic_ns()
        self.ms = (self.ns + self.wall_offset_ns) // 1000000
        return self.ns

    def synchronize(self):
        """Follow a wall clock that was set since; to be called now and then."""
        self.wall_offset_ns = self.wall_us() * 1000 - self.monotonic_ns()
        self.tick()

    def wall_ms(self) -> int64_t:
        """Milliseconds since 1970, read now."""
        return self.wall_us() // 1000

    def wall_us(self) -> int64_t:
        """Microseconds since 1970, read now."""
        now = cython.declare(timespec)
        clock_gettime(CLOCK_REALTIME, cython.address(now))
        return cython.cast(int64_t, now.tv_sec) * 1000000 + now.tv_nsec // 1000

    def monotonic_ns(self) -> int64_t:
        """Nanoseconds of a clock that is never set back, read now."""
        return monotonic()


@cython.cclass
class ManualClock(Clock):
    """A clock that stands still until it is told to move."""

    def __init__(self, ms: int64_t = 1_000_000_000_000):
        self.now_us = ms * 1000
        self.since_start_ns = 0
        self.synchronize()

    def advance(self, ms: int64_t) -> None:
        """Move on by that many milliseconds; what is cached moves, too."""
        self.advance_us(ms * 1000)

    def advance_us(self, us: int64_t) -> None:
        """Move on by that many microseconds."""
        self.now_us += us
        self.since_start_ns += us * 1000
        self.tick()

    def wall_us(self) -> int64_t:
        """Microseconds since 1970."""
        return self.now_us

    def monotonic_ns(self) -> int64_t:
        """Nanoseconds since this clock was made."""
        return self.since_start_ns
