"""Threads that the engine works with: begun wholly, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Attempts to begin a thread, where each is interrupted.
_PATIENCE = 8


class _Ticket:
    """Whether a thread has begun, or need not begin any more."""

    __slots__ = ("canceled", "taken")

    def __init__(self) -> None:
        self.canceled = self.taken = False


def start(
    name: str,
    work: Callable[..., object],
    arguments: tuple[object, ...],
    defer: Callable[[BaseException], object],
) -> threading.Thread:
    """Begin a daemon thread that calls ``work(*arguments)``.

    What interrupts that is passed to ``defer``, and the thread begins all the same.

    Raises:
        RuntimeError: there can be no further thread.
    """
    for _ in range(_PATIENCE):
        ticket = _Ticket()
        thread = None
        try:
            thread = threading.Thread(
                target=_run, args=(ticket, work, arguments), name=name, daemon=True
            )
            thread.start()
            return thread
        except RuntimeError:
            ticket.canceled = True
            raise
        except BaseException as interrupt:
            # Whether it runs already cannot be told otherwise.
            ticket.canceled = not ticket.taken
            defer(interrupt)
            if thread is not None and ticket.taken:
                return thread
    raise RuntimeError("can't start new thread")


def _run(ticket: _Ticket, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    if not ticket.canceled:
        ticket.taken = True
        work(*arguments)
