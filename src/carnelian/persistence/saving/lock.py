"""The lock that keeps all engines but one from the files of a path, in whatever process they are,
be it a server or a program that embeds one.

It is one of the kernel's (flock), which ends with the process that holds it, however that ends:
what a killed process has left is no obstacle.
"""

from __future__ import annotations

import fcntl
import os
import weakref

# Weak references, of which each takes itself out.
_held: set[weakref.ref[PathLock]] = set()


class LockedError(Exception):
    """Somebody else holds ``path``: the process ``pid``, None if that is not known. ``address`` is
    the URL at which it serves the data, if it does.
    """

    def __init__(self, path: str, pid: int | None, address: str | None = None):
        super().__init__(f"{path} is in use by {describe(pid)}")
        self.path = path
        self.pid = pid
        self.address = address


def describe(pid: int | None) -> str:
    """Who holds a path."""
    if pid is None:
        return "another engine"
    if pid == os.getpid():
        return f"another engine in this process ({pid})"
    return f"process {pid}"


class PathLock:
    """Holds ``path`` with ``path.lock``, from now on until :meth:`release`; alone, unless it is
    ``shared`` with others who share it. ``address`` tells others where they may ask for the data.

    ``killed`` is the process that held it before and did not come to release it, if there was one.
    Another process may have its number by now, even this one: in a container, they begin anew.

    Raises:
        LockedError: somebody else holds it.
        OSError: there can be no file beside the path.
    """

    def __init__(self, path: str, shared: bool = False, address: str | None = None):
        self.path = path
        self.shared = shared
        self.address = address
        self.killed: int | None = None
        self._fd = self._claim()
        _held.add(weakref.ref(self, _held.discard))

    @property
    def name(self) -> str:
        """The lock file: it is there, and holds the process id, while the lock is held."""
        return f"{self.path}.lock"

    def _claim(self) -> int:
        while True:
            fd = os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(fd, (fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                # Whoever held it until now may have deleted the file that is locked here.
                if self._is_current(fd):
                    self.killed = _owner(fd)
                    self._sign(fd)
                    return fd
            except BlockingIOError:
                pid, address = _owner(fd), _address(fd)
                os.close(fd)
                raise LockedError(self.path, pid, address) from None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def _is_current(self, fd: int) -> bool:
        try:
            return _identity(os.fstat(fd)) == _identity(os.stat(self.name))
        except FileNotFoundError:
            return False

    def _sign(self, fd: int) -> None:
        os.truncate(fd, 0)
        address = "" if self.address is None else f"{self.address}\n"
        os.pwrite(fd, f"{os.getpid()}\n{address}".encode("utf-8", "surrogateescape"), 0)

    def tell(self, address: str | None) -> None:
        """Tell those who find the path locked where its data can be asked for, or nowhere."""
        self.address = address
        if self._fd >= 0:
            self._sign(self._fd)

    def take_alone(self) -> None:
        """Share it no longer. Raises LockedError if others do, with whom it stays shared."""
        if not self.shared:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # What was held is let go of first.
            fcntl.flock(self._fd, fcntl.LOCK_SH)
            pid = _owner(self._fd)
            raise LockedError(self.path, None if pid == os.getpid() else pid) from None
        self.shared = False
        self._sign(self._fd)

    def release(self) -> None:
        """Let others have the path; nothing happens when that was done before."""
        if self._fd < 0:
            return
        try:
            self.take_alone()
            os.truncate(self._fd, 0)
            os.unlink(self.name)
        except (OSError, LockedError):
            pass
        # Closing alone would not do while a child of this process has the file open as well.
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self.forget()

    def forget(self) -> None:
        """In a child made by fork: the lock is the parent's alone."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _identity(status: os.stat_result) -> tuple[int, int]:
    return (status.st_dev, status.st_ino)


def _owner(fd: int) -> int | None:
    try:
        return int(os.pread(fd, 32, 0).partition(b"\n")[0])
    except (OSError, ValueError):
        return None


def _address(fd: int) -> str | None:
    try:
        lines = os.pread(fd, 4096, 0).decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return None
    return lines[1] or None if len(lines) > 1 else None


def _forget_all() -> None:
    for reference in list(_held):
        lock = reference()
        if lock is not None:
            lock.forget()


os.register_at_fork(after_in_child=_forget_all)
