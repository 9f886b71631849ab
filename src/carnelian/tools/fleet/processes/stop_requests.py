"""Signals that ask a program to end, heeded where it suits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PAUSE = 0.05


class StopRequestedError(Exception):
    """Somebody wants the program to end."""


class StopRequests:
    """Counts SIGINT, SIGTERM and SIGHUP from :meth:`install` on.

    SIGHUP stays ignored where it is, as by nohup.
    """

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Take over the signals."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def check(self) -> None:
        """Raises StopRequestedError if a signal has come."""
        if self.count:
            raise StopRequestedError

    def pause(self, seconds: float) -> None:
        """Sleep; raises StopRequestedError as soon as a signal has come."""
        deadline = time.monotonic() + seconds
        self.check()
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _PAUSE))
            self.check()

    def wait_for(self, condition: Callable[[], T], seconds: float) -> T | None:
        """The first true value of a condition, None if there is none in time.

        Raises StopRequestedError as soon as a signal has come.
        """
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                return None
            self.pause(_PAUSE)
