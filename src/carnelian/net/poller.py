"""What the operating system offers to wait for many descriptors, behind one interface."""

from __future__ import annotations

import select
import socket
from typing import Protocol

# The values of EPOLLIN and EPOLLOUT, which POLLIN and POLLOUT share wherever there is poll().
READABLE = 1
WRITABLE = 4


class Poller(Protocol):
    """Waits for descriptors; on Linux that is ``select.epoll`` itself.

    ``events`` are made of the bits READABLE and WRITABLE.
    """

    def register(self, fd: int, events: int, /) -> None:
        """Begin to wait for events of a descriptor."""

    def modify(self, fd: int, events: int, /) -> None:
        """Wait for these events of a registered descriptor, and for no others."""

    def unregister(self, fd: int, /) -> None:
        """Wait for it no longer."""

    def poll(self, seconds: float, limit: int, /) -> list[tuple[int, int]]:
        """Pairs of descriptor and events once there are some, or nothing after that time."""

    def close(self) -> None:
        """Give it back to the system."""


def make_poller() -> Poller:
    """The best poller of this system: epoll, else kqueue, else poll."""
    if hasattr(select, "epoll"):
        return select.epoll(flags=select.EPOLL_CLOEXEC)
    if hasattr(select, "kqueue"):
        return KqueuePoller()
    return PollPoller()


def poller_name(poller: object) -> str:
    """Which one it is: ``epoll``, ``kqueue`` or ``poll``."""
    names: dict[type, str] = {KqueuePoller: "kqueue", PollPoller: "poll"}
    return names.get(type(poller), "epoll")


def epoll_descriptor(poller: object) -> int:
    """What to call ``epoll_wait`` with, -1 if the poller is none of epoll."""
    if hasattr(select, "epoll") and isinstance(poller, select.epoll):
        return poller.fileno()
    return -1


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets that never block."""
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)
    return receiver, sender


class PollPoller(Poller):
    """``poll()``, where nothing better is."""

    def __init__(self) -> None:
        self._poll = select.poll()

    def register(self, fd: int, events: int) -> None:
        self._poll.register(fd, events)

    def modify(self, fd: int, events: int) -> None:
        self._poll.modify(fd, events)

    def unregister(self, fd: int) -> None:
        self._poll.unregister(fd)

    def poll(self, seconds: float, limit: int) -> list[tuple[int, int]]:
        return self._poll.poll(seconds * 1000)

    def close(self) -> None:
        pass


class KqueuePoller(Poller):
    """``kqueue()`` of the BSDs and macOS, where reading and writing are two filters."""

    def __init__(self) -> None:
        self._kqueue = select.kqueue()
        self._interest: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        self._interest[fd] = 0
        self.modify(fd, events)

    def modify(self, fd: int, events: int) -> None:
        changed = self._interest[fd] ^ events
        if changed & READABLE:
            self._change(fd, select.KQ_FILTER_READ, events & READABLE)
        if changed & WRITABLE:
            self._change(fd, select.KQ_FILTER_WRITE, events & WRITABLE)
        self._interest[fd] = events

    def unregister(self, fd: int) -> None:
        self.modify(fd, 0)
        del self._interest[fd]

    def poll(self, seconds: float, limit: int) -> list[tuple[int, int]]:
        ready: dict[int, int] = {}
        for event in self._kqueue.control(None, limit, seconds):
            bit = READABLE if event.filter == select.KQ_FILTER_READ else WRITABLE
            ready[event.ident] = ready.get(event.ident, 0) | bit
        return list(ready.items())

    def close(self) -> None:
        self._kqueue.close()

    def _change(self, fd: int, kind: int, wanted: int) -> None:
        action = select.KQ_EV_ADD if wanted else select.KQ_EV_DELETE
        self._kqueue.control([select.kevent(fd, kind, action)], 0, 0)
