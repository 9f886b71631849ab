"""Scripts as processes of the system."""

from __future__ import annotations

import os
import signal
from errno import EAGAIN, ENOMEM

from carnelian.sentinel.known.surroundings import NotStarted, ProcessEnd

# The server ignores them, which scripts would inherit.
_DEFAULT_AGAIN = (signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1)


class Processes:
    """Starts scripts with the environment of the server, and without any of its descriptors."""

    def __init__(self) -> None:
        self._running: set[int] = set()

    def start(self, words: list[str]) -> int:
        """Start one; its process id.

        Raises:
            NotStarted: the system cannot run it.
            OSError: there can be no process now.
        """
        raw = [os.fsencode(word) for word in words]
        try:
            pid = os.posix_spawn(raw[0], raw, os.environ, setsigdef=_DEFAULT_AGAIN)
        except OSError as error:
            if error.errno in (EAGAIN, ENOMEM):
                raise
            raise NotStarted from error
        self._running.add(pid)
        return pid

    def ended(self) -> list[ProcessEnd]:
        """Those that have ended since the last call."""
        ends = []
        for pid in sorted(self._running):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found == pid:
                self._running.remove(pid)
                ends.append(_end(pid, status))
        return ends

    def kill(self, pid: int) -> None:
        """End one at once."""
        if pid in self._running:
            os.kill(pid, signal.SIGKILL)


def _end(pid: int, status: int) -> ProcessEnd:
    if os.WIFSIGNALED(status):
        return ProcessEnd(pid, 0, os.WTERMSIG(status))
    return ProcessEnd(pid, os.WEXITSTATUS(status), 0)
