"""The thread that gives an embedded engine its time."""

from __future__ import annotations

import atexit
import logging
import queue
import weakref
from typing import Protocol

from carnelian.engine.ground.threads import Background

_STOP = object()
# Weak references, of which each takes itself out.
_running: set[weakref.ref[Timer]] = set()


class Host(Protocol):
    """Who has timed work to do."""

    def tick(self) -> float | None:
        """Do what is due; returns the seconds until there is more, None if there is none."""


class Timer:
    """Calls ``host.tick()`` when it is due, in a daemon thread that the first call to wake starts.

    The thread holds the host weakly: an engine that nobody refers to any longer ends it.
    """

    def __init__(self, host: Host):
        self._calls: queue.SimpleQueue[object] = queue.SimpleQueue()
        calls = self._calls
        self._host = weakref.ref(host, lambda _: calls.put(_STOP))
        self._thread: Background | None = None

    def wake(self) -> None:
        """Have a tick soon; the host holds its lock."""
        if self._thread is not None:
            self._calls.put(None)
            return
        try:
            self._thread = Background("carnelian-timer", _run, self._host, self._calls)
        except RuntimeError:
            # The interpreter is about to end, and time with it.
            return
        _running.add(weakref.ref(self, _running.discard))

    def stop(self, *, wait: bool = True) -> None:
        """End the thread, and wait for its end unless it is the one that calls."""
        thread = self._thread
        if thread is None:
            return
        self._calls.put(_STOP)
        if wait:
            thread.join()
        self._thread = None


def _run(reference: weakref.ref[Host], calls: queue.SimpleQueue[object]) -> None:
    while True:
        host = reference()
        if host is None:
            return
        try:
            rest = host.tick()
        except BaseException:
            # Nobody above would hear of it.
            logging.getLogger("carnelian").exception("timed work failed")
            rest = 1.0
        del host
        try:
            if calls.get(timeout=rest) is _STOP:
                return
        except queue.Empty:
            pass


@atexit.register
def _stop_all() -> None:
    """Before the interpreter goes away under the threads."""
    for reference in list(_running):
        timer = reference()
        if timer is not None:
            timer.stop()
