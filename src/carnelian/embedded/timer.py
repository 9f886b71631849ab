"""The thread that gives an embedded engine its time."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.embedded.host import Host

_STOP = object()
_running: weakref.WeakSet[Timer] = weakref.WeakSet()


class Timer:
    """Calls ``host.tick()`` when it is due, in a daemon thread that the first call to wake starts.

    The thread holds the host weakly: an engine that nobody refers to any longer ends it.
    """

    def __init__(self, host: Host):
        self._calls: SimpleQueue[object] = SimpleQueue()
        self._host = weakref.ref(host, lambda _: self._calls.put(_STOP))
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have a tick soon; the host holds its lock."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=_run, args=(self._host, self._calls), name="carnelian-timer", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError:
                # The interpreter is about to end, and time with it.
                self._thread = None
                return
            _running.add(self)
        else:
            self._calls.put(None)

    def stop(self, *, wait: bool = True) -> None:
        """End the thread, and wait for its end unless it is the one that calls."""
        thread = self._thread
        if thread is None:
            return
        self._calls.put(_STOP)
        if wait and thread is not threading.current_thread():
            thread.join()
        self._thread = None


def _run(reference: weakref.ref[Host], calls: SimpleQueue[object]) -> None:
    while True:
        host = reference()
        if host is None:
            return
        try:
            rest = host.tick()
        except Exception:
            logging.getLogger("carnelian").exception("timed work failed")
            rest = 1.0
        del host
        try:
            if calls.get(timeout=rest) is _STOP:
                return
        except Empty:
            pass


@atexit.register
def _stop_all() -> None:
    """Before the interpreter goes away under the threads."""
    for timer in list(_running):
        timer.stop()
