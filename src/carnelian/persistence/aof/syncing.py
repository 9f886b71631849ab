"""What would let the loop wait for the disk, done by a thread, one thing after the other.

The thread does without the interpreter, which it would have to wait for: a program that is busy
with commands hands it over only now and then. So what :class:`Syncer` tells of the disk is true of
the disk, and what it was asked for begins at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import cython
from cython.cimports.carnelian.persistence.aof.syncing import Job
from cython.cimports.carnelian.persistence.bytes.libc import sync_content
from cython.cimports.cpython.pythread import (
    WAIT_LOCK,
    PyThread_acquire_lock,
    PyThread_allocate_lock,
    PyThread_free_lock,
    PyThread_release_lock,
    PyThread_start_new_thread,
)
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.libc.errno import EBADF, EINVAL, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.posix.unistd import close

Log = Callable[[str, str], None]

# What is done with a file: forced to the disk, forced and closed, closed.
SYNC = cython.declare(cython.int, 0)
CLOSE = cython.declare(cython.int, 1)
DROP = cython.declare(cython.int, 2)

# Seconds between two looks of who waits for everything to be done.
_LOOK = 0.0005


@cython.final
@cython.cclass
class Syncer:
    """Forces files to the disk, closes and deletes them, in the background.

    The thread begins with the first job.

    - ``busy``: whether a file of :meth:`sync` is being forced to the disk at this moment;
    - ``pending``: how many of those to be forced are not yet;
    - ``synced_offset``: the highest offset that came with one that is;
    - ``failure``: the errno of the last attempt, 0 if it went well; ``on_outcome()`` is called in
      the thread when that has changed.
    """

    def __cinit__(self, *args):
        self.first = self.last = cython.NULL
        self.mutex = PyThread_allocate_lock()
        self.bell = PyThread_allocate_lock()
        if self.mutex is cython.NULL or self.bell is cython.NULL:
            raise MemoryError
        PyThread_acquire_lock(self.bell, WAIT_LOCK)

    def __init__(self, log: Log):
        self.log = log
        self.running = self.asleep = self.ending = self.busy = False
        self.asked = self.done = self.synced_offset = 0
        self.pending = self.failure = 0
        self.on_outcome: Callable[[], None] = _nothing

    def __dealloc__(self):
        if self.mutex is not cython.NULL:
            PyThread_free_lock(self.mutex)
        if self.bell is not cython.NULL:
            PyThread_release_lock(self.bell)
            PyThread_free_lock(self.bell)

    # -- Asking ----------------------------------------------------------------------------------

    @cython.ccall
    def sync(self, fd: cython.int, offset: int64_t):
        """Force a file to the disk; what was appended up to ``offset`` is in it."""
        self.add(SYNC, fd, offset)

    def close(self, fd: cython.int, offset: int64_t) -> None:
        """Force a file to the disk and close it."""
        self.add(CLOSE, fd, offset)

    def delete(self, path: str) -> None:
        """Delete a file if it is there: its name at once, its contents in the background."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.unlink(path)
        except OSError:
            return
        self.add(DROP, fd, 0)

    def wait(self) -> None:
        """Wait until everything asked for until now is done."""
        asked: int64_t = self.asked
        while self.done < asked:
            time.sleep(_LOOK)

    def end(self) -> None:
        """Let the thread end when everything is done; another job begins another one."""
        PyThread_acquire_lock(self.mutex, WAIT_LOCK)
        self.ending = True
        if self.asleep:
            self.asleep = False
            PyThread_release_lock(self.bell)
        PyThread_release_lock(self.mutex)

    def add(self, kind: cython.int, fd: cython.int, offset: int64_t) -> cython.int:
        """Have the thread do something with a file."""
        job: cython.pointer[Job] = cython.cast(cython.pointer[Job], malloc(cython.sizeof(Job)))
        begins: cython.bint
        if job is cython.NULL:
            raise MemoryError
        job.next = cython.NULL
        job.kind, job.fd, job.offset = kind, fd, offset
        PyThread_acquire_lock(self.mutex, WAIT_LOCK)
        if self.last is cython.NULL:
            self.first = job
        else:
            self.last.next = job
        self.last = job
        self.asked += 1
        self.pending += kind == SYNC
        begins = not self.running
        self.running = True
        self.ending = False
        if self.asleep:
            self.asleep = False
            PyThread_release_lock(self.bell)
        PyThread_release_lock(self.mutex)
        if begins:
            self.begin()
        return 0

    def begin(self):
        """Begin the thread: one of the system's, whatever a program has put in the place of
        :mod:`threading`, and begun without running any of its code.
        """
        Py_INCREF(self)
        if PyThread_start_new_thread(_work_for, cython.cast(cython.p_void, self)) != -1:
            return
        # There is no room for one, or no time: the interpreter is about to end.
        Py_DECREF(self)
        self.ending = True
        self.work()

    # -- The thread ------------------------------------------------------------------------------

    def work(self):
        """Do what is asked for until the end is."""
        job = cython.declare(Job)
        before: cython.int
        with cython.nogil:
            while self.take(cython.address(job)):
                before = self.failure
                self.perform(cython.address(job))
                if self.failure != before:
                    with cython.gil:
                        self._tell(before)
                self.finish(cython.address(job))

    def _tell(self, before: int) -> None:
        if self.failure and not before:
            self.log("warning", f"Fail to fsync the AOF file: {os.strerror(self.failure)}")
        self.on_outcome()

    def take(self, job: cython.pointer[Job]) -> cython.bint:
        """Wait for a job; returns False if there will be none."""
        taken: cython.pointer[Job]
        while True:
            PyThread_acquire_lock(self.mutex, WAIT_LOCK)
            taken = self.first
            if taken is not cython.NULL:
                self.first = taken.next
                if self.first is cython.NULL:
                    self.last = cython.NULL
                PyThread_release_lock(self.mutex)
                job[0] = taken[0]
                free(taken)
                return True
            if self.ending:
                self.running = False
                PyThread_release_lock(self.mutex)
                return False
            self.asleep = True
            PyThread_release_lock(self.mutex)
            PyThread_acquire_lock(self.bell, WAIT_LOCK)

    def perform(self, job: cython.pointer[Job]) -> cython.void:
        """Do a job."""
        if job.kind != DROP:
            # Nobody writes any more to a file that is to be closed.
            self.busy = job.kind == SYNC
            self.failure = self.force(job.fd)
            self.busy = False
            if self.failure == 0:
                self.synced_offset = max(self.synced_offset, job.offset)
        if job.kind != SYNC:
            close(job.fd)

    def finish(self, job: cython.pointer[Job]) -> cython.void:
        """A job is done, and whoever had to be told was."""
        PyThread_acquire_lock(self.mutex, WAIT_LOCK)
        self.pending -= job.kind == SYNC
        self.done += 1
        PyThread_release_lock(self.mutex)

    def force(self, fd: cython.int) -> cython.int:
        """Force a file to the disk; returns the errno."""
        # Nothing is lost if there is nothing that could be forced to the disk.
        if sync_content(fd) == 0 or errno in (EBADF, EINVAL):
            return 0
        return errno


def _work_for(asker: cython.p_void) -> cython.void:
    syncer: Syncer = cython.cast(Syncer, asker)
    # It is held by this function now, no longer by the one that began the thread.
    Py_DECREF(syncer)
    syncer.work()


def _nothing() -> None:
    pass
