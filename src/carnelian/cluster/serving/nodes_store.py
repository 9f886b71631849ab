"""The file of a node (``nodes.conf``), which no other node may use.

The lock is one of the kernel's on the file itself, as Redis's is, so that a Carnelian and a
redis-server keep each other out. As the file is replaced when it is saved, the lock goes over to
the new one before that takes the place of the old one.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import weakref

import cython
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.posix.unistd import close, read

# Weak references, of which each takes itself out.
_held: set[weakref.ref[NodesStore]] = set()


class NodesFileInUse(Exception):
    """Another node has the file."""


class NodesStore:
    """Reads and replaces the file at a path, once it is locked by :meth:`lock`."""

    def __init__(self, path: str):
        # The working directory may change.
        self.path = os.path.abspath(path)
        self._fd = -1
        self._closer = _Closer()

    def lock(self) -> None:
        """Keep others out, until :meth:`release` or the end of the process.

        Raises NodesFileInUse, or OSError if there can be no such file.
        """
        while self._fd < 0:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                current = os.path.samestat(os.fstat(fd), os.stat(self.path))
            except BlockingIOError:
                os.close(fd)
                raise NodesFileInUse(self.path) from None
            except FileNotFoundError:
                current = False
            except BaseException:
                os.close(fd)
                raise
            if current:
                self._fd = fd
            else:
                os.close(fd)  # whoever had it has replaced it meanwhile
        _held.add(weakref.ref(self, _held.discard))

    def read(self) -> bytes:
        """What stands in the file; nothing if it is new. Raises OSError."""
        with open(self.path, "rb") as stream:
            return stream.read()

    def save(self, text: bytes, durable: bool) -> None:
        """Replace the file, wholly or not at all; ``durable`` waits for the disk.

        Raises OSError.
        """
        aside = f"{self.path}.tmp-{os.getpid()}"
        fd = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(fd, text)
            if durable:
                os.fsync(fd)
            os.rename(aside, self.path)
        except BaseException:
            os.close(fd)
            try:
                os.unlink(aside)
            except OSError:
                pass
            raise
        former, self._fd = self._fd, fd
        if former >= 0:
            self._closer.take(former)
        if durable:
            self._sync_folder()

    def append(self, text: bytes) -> None:
        """Add to the file, once :meth:`save` has written it. Raises OSError."""
        _write_all(self._fd, text)

    def _sync_folder(self) -> None:
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def release(self) -> None:
        """Let others have the file."""
        if self._fd >= 0:
            # Closing alone would not do while a child of this process has it open as well.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.forget()
        self._closer.stop()

    def forget(self) -> None:
        """In a child made by fork: the lock is the parent's alone."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _write_all(fd: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(fd, left) :]


def _forget_all() -> None:
    for reference in list(_held):
        store = reference()
        if store is not None:
            store.forget()


class _Closer:
    """Closes files that were replaced. Their blocks are given back then, which takes the disk some
    milliseconds: nobody waits for that.

    Its thread reads the descriptors from a pipe, so that it never wants the interpreter.
    """

    def __init__(self) -> None:
        self._into = -1

    def take(self, fd: int) -> None:
        """Have a descriptor closed soon."""
        try:
            if self._into < 0:
                self._start()
            os.write(self._into, fd.to_bytes(cython.sizeof(cython.int), sys.byteorder))
        except (OSError, RuntimeError):
            # There is no pipe or no thread any more: whatever has been saved is saved.
            os.close(fd)

    def _start(self) -> None:
        out, into = os.pipe()
        try:
            threading.Thread(target=_close_all, args=(out,), name="nodes-file", daemon=True).start()
        except BaseException:
            os.close(out)
            os.close(into)
            raise
        self._into = into

    def stop(self) -> None:
        """End the thread when it has closed what is left."""
        if self._into >= 0:
            os.close(self._into)
            self._into = -1


def _close_all(pipe: cython.int):
    fd: cython.int = 0
    size: cython.int = cython.sizeof(cython.int)
    got: cython.Py_ssize_t
    with cython.nogil:
        while True:
            got = read(pipe, cython.address(fd), size)
            if got == size:
                close(fd)
            elif got >= 0 or errno != EINTR:
                break
        close(pipe)


os.register_at_fork(after_in_child=_forget_all)
