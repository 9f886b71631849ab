"""Listening sockets, and what they accept."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from carnelian.net.loop import Channel, Loop
from carnelian.net.poller import READABLE
from carnelian.net.transport import Transport

# The error is the connection's, not the listener's: the next one may be fine. See accept(2).
_RETRY = frozenset(
    getattr(errno, name, 0)
    for name in (
        "ECONNABORTED", "ENETDOWN", "EPROTO", "ENOPROTOOPT", "EHOSTDOWN", "ENONET",
        "EHOSTUNREACH", "EOPNOTSUPP", "ENETUNREACH",
    )
)  # fmt: skip

# The system does not know this kind of address: one listens on what there is.
_UNSUPPORTED = (
    errno.ENOPROTOOPT,
    errno.EPROTONOSUPPORT,
    errno.ESOCKTNOSUPPORT,
    errno.EPFNOSUPPORT,
    errno.EAFNOSUPPORT,
)


class ListenError(Exception):
    """No socket can be opened where the configuration asks for one; the reason is in the log."""


# Makes the transport of a connected descriptor: which one says of what kind it is.
MakeTransport = Callable[[Loop, int], Transport]


class Taker(Protocol):
    """Who takes in what a listener accepts."""

    def most(self) -> int:
        """How many to take in at a time, so that those being served do not wait for long."""

    def admit(self, listener: Listener, sock: socket.socket, address: tuple) -> None:
        """Make a connection of a socket just accepted, or close it."""

    def failed(self, error: OSError) -> None:
        """Nothing could be accepted, though somebody is there."""


class Listener(Channel):
    """One listening socket. ``make_transport`` is for the taker, who knows what it wants first."""

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        taker: Taker,
        make_transport: MakeTransport = Transport,
    ):
        super().__init__(sock.fileno())
        sock.setblocking(False)
        self.sock = sock
        self.is_unix = sock.family == socket.AF_UNIX
        self.make_transport = make_transport
        self._loop = loop
        self._taker = taker
        loop.watch(self, READABLE)

    def on_event(self, events: int) -> None:
        """Take waiting connections in."""
        for _ in range(self._taker.most()):
            try:
                sock, address = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _RETRY:
                    continue
                self._taker.failed(error)
                return
            self._taker.admit(self, sock, address)

    def close(self) -> None:
        """Listen no longer."""
        self._loop.unwatch(self)
        self.sock.close()


def keep_alive(sock: socket.socket, interval: int) -> None:
    """Probe an idle peer after ``interval`` seconds, and give it up after two intervals."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
    if idle is None:
        return
    sock.setsockopt(socket.IPPROTO_TCP, idle, interval)
    if hasattr(socket, "TCP_KEEPINTVL"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, interval // 3))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def open_sockets(
    port: int, addresses: Sequence[str], backlog: int, warn: Callable[[str], None]
) -> list[socket.socket]:
    """Listen on a port of each address; an address with ``-`` before it may be missing here.

    ``*`` and ``::*`` are all addresses of IPv4 and IPv6. Raises ListenError, with none left open.
    """
    opened: list[socket.socket] = []
    if port == 0:
        return opened
    for address in addresses:
        optional = address.startswith("-")
        host = address[1:] if optional else address
        try:
            opened.append(tcp_socket(host, port, backlog))
        except OSError as error:
            warn(f"Could not create server TCP listening socket {host}:{port}: {_reason(error)}")
            if optional and error.errno == errno.EADDRNOTAVAIL:
                continue
            if not isinstance(error, socket.gaierror) and error.errno in _UNSUPPORTED:
                continue
            for sock in opened:
                sock.close()
            raise ListenError from error
    return opened


def tcp_socket(host: str, port: int, backlog: int) -> socket.socket:
    """A listening TCP socket; IPv6 if there is a colon in ``host``. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    everywhere = host == "*" or host == "::*"
    found = socket.getaddrinfo(
        None if everywhere else host, port, family, socket.SOCK_STREAM, 0, socket.AI_PASSIVE
    )
    sock = socket.socket(*found[0][:3])
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(found[0][4])
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def unix_socket(path: str, permissions: int, backlog: int) -> socket.socket:
    """A listening Unix socket; ``permissions`` of 0 leaves those that the umask gives."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        if permissions:
            os.chmod(path, permissions)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return f"bind: {error.strerror}"
