"""Turns of the loop in which a file is written from this process, a slice at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.persistence.background.slicing import Slicing
    from carnelian.server.connection import Hub

# A slice lasts so many microseconds, and half as long as what was done since the last one: writing
# then takes a third of the time of a busy server.
LEAST_US = 100
MOST_US = 2000


class Slices:
    """Takes slices of one file until it is written, after the replies of each turn are sent."""

    def __init__(self, hub: Hub):
        self._hub = hub
        self._job: Slicing | None = None
        self._last_end = self._not_before = 0.0

    def carry(self, job: Slicing) -> None:
        """Have a file written; there is none on its way."""
        self._job = job
        self._last_end = self._not_before = time.monotonic()
        self._hub.work = self._take

    def _take(self) -> None:
        assert self._job is not None
        now = time.monotonic()
        if now < self._not_before:
            self._hub.loop.limit_wait(self._not_before - now)
            return
        others_us = int((now - self._last_end) * 1e6)
        rest = self._job.step(min(max(others_us // 2, LEAST_US), MOST_US))
        self._last_end = time.monotonic()
        if rest is None:
            self._job = self._hub.work = None
            return
        self._not_before = self._last_end + rest
        self._hub.loop.limit_wait(rest)
