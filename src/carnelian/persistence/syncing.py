"""What would let the loop wait for the disk, done by a thread, one thing after the other."""

from __future__ import annotations

import errno
import os
import queue
from collections.abc import Callable
from typing import Any

from carnelian.engine.threads import Background, Latch

Log = Callable[[str, str], None]

# As far as files are concerned, nothing was lost if there is nothing to force to the disk.
_HARMLESS = (errno.EBADF, errno.EINVAL)

force = getattr(os, "fdatasync", os.fsync)


class Syncer:
    """Forces files to the disk, closes and deletes them, in the background.

    The thread begins with the first job. ``pending`` is the number of files to be forced that are
    not yet, ``synced_offset`` the highest offset that came with one that is. ``failure`` is the
    errno of the last attempt, 0 if it went well; ``on_outcome()`` is called in the thread when that
    has changed.
    """

    def __init__(self, log: Log):
        self._log = log
        # None ends the thread.
        self._jobs: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None]
        self._jobs = queue.SimpleQueue()
        self._thread: Background | None = None
        self.pending = 0
        self.failure = 0
        self.on_outcome: Callable[[], None] = lambda: None
        self.synced_offset = 0

    def sync(self, fd: int, offset: int) -> None:
        """Force a file to the disk; what was appended up to ``offset`` is in it."""
        self.pending += 1
        self._add(self._sync, fd, offset)

    def close(self, fd: int, offset: int) -> None:
        """Force a file to the disk and close it."""
        self._add(self._close, fd, offset)

    def delete(self, path: str) -> None:
        """Delete a file if it is there: its name at once, its contents in the background."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.unlink(path)
        except OSError:
            return
        self._add(os.close, fd)

    def wait(self) -> None:
        """Wait until everything asked for until now is done."""
        done = Latch()
        self._add(done.set)
        done.wait()

    def _add(self, job: Callable[..., None], *arguments: object) -> None:
        if self._thread is None:
            self._thread = Background("aof-sync", self._work)
        self._jobs.put((job, arguments))

    def end(self) -> None:
        """Let the thread end when everything is done; another job begins another one."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _work(self) -> None:
        for job, arguments in iter(self._jobs.get, None):
            job(*arguments)

    def _sync(self, fd: int, offset: int) -> None:
        try:
            self._force(fd, offset)
        finally:
            self.pending -= 1

    def _close(self, fd: int, offset: int) -> None:
        try:
            self._force(fd, offset)
        finally:
            os.close(fd)

    def _force(self, fd: int, offset: int) -> None:
        try:
            force(fd)
        except OSError as error:
            if error.errno not in _HARMLESS:
                if not self.failure:
                    self._log("warning", f"Fail to fsync the AOF file: {error.strerror}")
                self._note_outcome(error.errno or errno.EIO)
                return
        self._note_outcome(0)
        self.synced_offset = max(self.synced_offset, offset)

    def _note_outcome(self, failure: int) -> None:
        if failure != self.failure:
            self.failure = failure
            self.on_outcome()
