"""Threads that the engine works with, and waiting for them.

What ``threading`` has for that is interpreted, and an interrupt in it may leave a lock held or a
thread half begun. Nothing here is: whoever calls is interrupted before, after, or in waiting.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable

from cython.cimports.cpython.exc import PyErr_CheckSignals


class Latch:
    """Something that will have happened, and stays so; as :class:`threading.Event`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._open = False

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._open

    def set(self) -> None:
        """It has happened."""
        if not self._open:
            self._open = True
            self._lock.release()

    def wait(self, timeout: float = -1) -> bool:
        """Return when it has happened, or when so many seconds are over; tells whether it has."""
        # A signal that came before, while compiled code ran, would not end the wait.
        PyErr_CheckSignals()
        if not self._open and self._lock.acquire(timeout=timeout):
            self._lock.release()
        return self._open


class Background:
    """A daemon thread that calls ``work(*arguments)``, from now on.

    Raises:
        RuntimeError: there can be no further thread.
    """

    def __init__(self, name: str, work: Callable[..., object], *arguments: object):
        self._name = name
        self._work = work
        self._arguments = arguments
        self._ended = Latch()
        self._ident = 0
        self._pid = os.getpid()
        # The thread is begun by another one, where no signal handler raises.
        _thread.start_new_thread(self._begin, ())

    def _begin(self) -> None:
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except BaseException:
            # There can be no further thread; or an interrupt that was meant for the thread that
            # has begun this one came here, for until it runs it goes by that one's number.
            self._run()

    def _run(self) -> None:
        if self._ident:
            return
        self._ident = threading.get_ident()
        work, arguments = self._work, self._arguments
        # What the thread works with may be what refers to it.
        self._work = self._arguments = None  # type: ignore[assignment]
        try:
            work(*arguments)
        finally:
            self._ended.set()

    def join(self) -> None:
        """Wait for its end, unless it is this very thread that calls, or a child made by fork, in
        which there is no such thread.
        """
        if threading.get_ident() != self._ident and os.getpid() == self._pid:
            self._ended.wait()
