"""A clock for engines whose time is to stand still."""

from __future__ import annotations

import operator
import time
import weakref
from datetime import timedelta
from typing import TYPE_CHECKING, SupportsIndex, cast

from carnelian.keyspace import clock

if TYPE_CHECKING:
    from carnelian.embedded.host import Host


# The last millisecond whose nanoseconds since 1970 are a number of 64 bits.
_END = (2**63 - 1) // 1_000_000


class ManualClock(clock.ManualClock):
    """A clock that moves only when it is told to: ``Engine(clock=ManualClock())``.

    Moving it does at once what is due by then in the engines that use it: keys expire, blocking
    commands run out of time.

    Args:
        ms: where it begins, in milliseconds since 1970; at the present time if None.
    """

    def __init__(self, ms: int | None = None):
        super().__init__(time.time_ns() // 1_000_000 if ms is None else _start(ms))
        self._hosts: weakref.WeakSet[Host] = weakref.WeakSet()

    def advance(self, ms: int | timedelta) -> None:
        """Move on by so many milliseconds, or by a timedelta.

        Raises:
            TypeError: it is neither.
            ValueError: it is negative, no whole number of milliseconds, or goes beyond 2262.
        """
        step = _whole(ms)
        if step < 0:
            raise ValueError("time does not run backwards")
        if step > _END - self.wall_ms():
            raise ValueError(f"{ms!r} is out of range: no clock goes beyond April 2262")
        super().advance(step)
        for host in list(self._hosts):
            host.tick()

    def attach(self, host: Host) -> None:
        """Tell this host whenever the clock moves; engines do that for themselves."""
        self._hosts.add(host)


def _start(ms: int) -> int:
    start = _whole(ms)
    if not 0 <= start <= _END:
        raise ValueError(f"{ms!r} is out of range: clocks go from 1970 to April 2262")
    return start


def _whole(ms: object) -> int:
    """Milliseconds as an int; raises if that is not exactly what they are."""
    if isinstance(ms, timedelta):
        whole, rest = divmod(ms, timedelta(milliseconds=1))
        if rest:
            raise ValueError(f"{ms!r} is no whole number of milliseconds")
        return whole
    if isinstance(ms, float):
        if not ms.is_integer():
            raise ValueError(f"{ms!r} is no whole number of milliseconds")
        return int(ms)
    if isinstance(ms, bool) or not hasattr(ms, "__index__"):
        raise TypeError(f"milliseconds are an int or a timedelta, not {type(ms).__name__}")
    return operator.index(cast(SupportsIndex, ms))
