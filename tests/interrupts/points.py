"""Interrupts at every point that interpreted code offers, one after the other."""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any


class Interrupt(BaseException):
    """What a signal handler might raise."""


class Alarm(Exception):
    """What other signal handlers raise, for a time limit."""


# After these the interpreter looks whether there is something to be raised, and at the beginning of
# a function. Between others, as in the middle of ``with lock:``, there never comes anything.
LOOKING = frozenset(
    opcode.opmap[name]
    for name in ("CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "RESUME")
    if name in opcode.opmap
)


# Functions of the tests themselves that are not to be interrupted.
UNDISTURBED: set[CodeType] = set()


class Interrupter:
    """Runs something, and raises at the n-th point of it."""

    def __init__(self, kind: type[BaseException]):
        self.kind = kind
        self.left = 0
        self._codes: dict[FrameType, int] = {}

    def run(self, point: int, action: Callable[[], Any]) -> BaseException | None:
        """What came out of it. ``self.left`` is above 0 if there is no such point."""
        self.left = point
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            action()
        except BaseException as fault:
            return fault
        finally:
            sys.settrace(before)
            self._codes.clear()
        return None

    def _enter(self, frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code in UNDISTURBED:
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "opcode":
            last = self._codes.get(frame)
            self._codes[frame] = frame.f_code.co_code[frame.f_lasti]
            if last is None or last in LOOKING:
                self._count()
        return self._step

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            sys.settrace(None)
            raise self.kind("interrupted")


def every(
    begin: Callable[[], Any],
    action: Callable[[Any], Any],
    *,
    kind: type[BaseException] = Interrupt,
    most: int = 200,
) -> Iterator[tuple[Any, BaseException | None]]:
    """Make something with ``begin`` and interrupt the action on it, at each point of it.

    Of more points than ``most`` only so many are tried. The last attempt is not interrupted.
    """
    interrupter = Interrupter(kind)
    subject = begin()
    interrupter.run(sys.maxsize, lambda: action(subject))
    count = sys.maxsize - interrupter.left
    yield subject, None
    for number in range(min(count, most)):
        subject = begin()
        point = 1 + number * count // min(count, most)
        yield subject, interrupter.run(point, lambda: action(subject))  # noqa: B023
