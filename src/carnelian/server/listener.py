"""Listening sockets, and which connections are taken."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carnelian.engine.authentication import required
from carnelian.server.client_info import format_address
from carnelian.server.connection import Connection, Hub, Transport
from carnelian.server.loop import Channel
from carnelian.server.poller import READABLE

if TYPE_CHECKING:
    from carnelian.engine.config import Config
    from carnelian.server.log import Log
    from carnelian.server.loop import Loop

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

TOO_MANY = b"-ERR max number of clients reached\r\n"

PROTECTED = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    b"is set for the default user. In this mode connections are only accepted from the loopback "
    b"interface. If you want to connect from external computers to Redis you may adopt one of the "
    b"following solutions: 1) Just disable protected mode sending the command 'CONFIG SET "
    b"protected-mode no' from the loopback interface by connecting to Redis from the same host the "
    b"server is running, however MAKE SURE Redis is not publicly accessible from internet if you "
    b"do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just "
    b"disable the protected mode by editing the Redis configuration file, and setting the "
    b"protected mode option to 'no', and then restarting the server. 3) If you started the server "
    b"manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an "
    b"authentication password for the default user. NOTE: You only need to do one of the above "
    b"things in order for the server to start accepting connections from the outside.\r\n"
)


class ListenError(Exception):
    """No socket can be opened where the configuration asks for one; the reason is in the log."""


class Door:
    """Takes accepted sockets in as connections, or turns them away."""

    def __init__(self, hub: Hub, config: Config, log: Log):
        self._hub = hub
        self._config = config
        self._log = log

    def admit(self, sock: socket.socket, address: tuple, unix_socket: bool) -> None:
        """Make a connection of a socket just accepted, which is ours from now on."""
        stats = self._hub.engine.stats
        if len(self._hub.members) >= self._config["maxclients"]:
            stats.rejected_connections += 1
            _turn_away(sock, TOO_MANY)
            return
        protected = self._config["protected-mode"] and not required(self._hub.engine)
        if protected and not unix_socket and not _is_loopback(address[0]):
            stats.rejected_connections += 1
            _turn_away(sock, PROTECTED)
            return
        try:
            sock.setblocking(False)
            if not unix_socket:
                self._tune(sock)
        except OSError as error:
            # The client was faster and has gone.
            self._log("verbose", f"Error accepting a client connection: {error.strerror}")
            sock.close()
            return
        stats.connections += 1
        self._hub.adopt(Connection(self._hub, Transport(sock.detach()), unix_socket))

    def _tune(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        interval = self._config["tcp-keepalive"]
        if interval:
            try:
                keep_alive(sock, interval)
            except OSError:
                # Linux takes up to 32767 seconds. With more, its own two hours hold.
                pass


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


class Listener(Channel):
    """One listening socket."""

    def __init__(self, sock: socket.socket, door: Door, config: Config, log: Log):
        super().__init__(sock.fileno())
        self.sock = sock
        self.is_unix = sock.family == socket.AF_UNIX
        self._door = door
        self._config = config
        self._log = log

    def on_event(self, events: int) -> None:
        """Take waiting connections in, so many that those being served do not wait for long."""
        for _ in range(self._config["max-new-connections-per-cycle"]):
            try:
                sock, address = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _RETRY:
                    continue
                self._log("warning", f"Accepting client connection: accept: {error.strerror}")
                return
            if self._log.enabled("verbose"):
                self._log("verbose", self._greeting(address))
            self._door.admit(sock, address, self.is_unix)

    def _greeting(self, address: tuple) -> str:
        if self.is_unix:
            return f"Accepted connection to {self._config['unixsocket']}"
        return f"Accepted {format_address(*address[:2]).decode()}"


class Listeners:
    """All listening sockets of a server; they follow ``port`` and ``bind`` when those change."""

    def __init__(self, loop: Loop, door: Door, config: Config, log: Log):
        self._loop = loop
        self._door = door
        self._config = config
        self._log = log
        self._tcp: list[Listener] = []
        self._unix: Listener | None = None
        self._served: tuple = (0, ())

    def __len__(self) -> int:
        return len(self._tcp) + (self._unix is not None)

    @property
    def has_tcp(self) -> bool:
        """Whether there is at least one TCP socket."""
        return bool(self._tcp)

    def open_tcp(self) -> None:
        """Listen where ``bind`` and ``port`` say, in place of where we listened.

        Raises ListenError, having gone back to where we listened before.
        """
        wanted = (self._config["port"], tuple(self._config["bind"]))
        if wanted == self._served:
            return
        before = self._served
        self.close_tcp()
        try:
            self._open(*wanted)
        except ListenError:
            if before[0]:
                self._open(*before)
            raise

    def open_unix(self) -> None:
        """Listen on ``unixsocket``, if there is one. Raises ListenError."""
        path = self._config["unixsocket"]
        if not path:
            return
        try:
            os.unlink(path)
        except OSError:
            pass
        try:
            sock = unix_socket(path, self._config["unixsocketperm"], self._config["tcp-backlog"])
        except OSError as error:
            reason = error.strerror or str(error)
            self._log("warning", f"Failed opening Unix socket: bind: {reason}")
            raise ListenError from error
        self._unix = self._watch(sock)

    def describe(self) -> list[str]:
        """What INFO's ``listener`` fields say."""
        described = []
        if self._tcp:
            binds = "".join(f",bind={address}" for address in self._config["bind"])
            described.append(f"name=tcp{binds},port={self._config['port']}")
        if self._unix is not None:
            described.append(f"name=unix,bind={self._config['unixsocket']}")
        return described

    def close_tcp(self) -> None:
        """Listen on no TCP port any longer."""
        for listener in self._tcp:
            self._close(listener)
        self._tcp = []
        self._served = (0, ())

    def close(self) -> None:
        """Listen nowhere any longer, and take the Unix socket's file away."""
        self.close_tcp()
        if self._unix is None:
            return
        self._close(self._unix)
        self._unix = None
        self._log("notice", "Removing the unix socket file.")
        try:
            os.unlink(self._config["unixsocket"])
        except OSError as error:
            self._log("warning", f"Error removing the unix socket file: {error.strerror}")

    def _open(self, port: int, addresses: Sequence[str]) -> None:
        sockets = open_sockets(port, addresses, self._config["tcp-backlog"], self._log)
        mark = self._config["socket-mark-id"]
        for sock in sockets:
            if mark and hasattr(socket, "SO_MARK"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            self._tcp.append(self._watch(sock))
        self._served = (port, tuple(addresses))

    def _watch(self, sock: socket.socket) -> Listener:
        sock.setblocking(False)
        listener = Listener(sock, self._door, self._config, self._log)
        self._loop.watch(listener, READABLE)
        return listener

    def _close(self, listener: Listener) -> None:
        self._loop.unwatch(listener)
        listener.sock.close()


def open_sockets(
    port: int, addresses: Sequence[str], backlog: int, log: Log
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
            log(
                "warning",
                f"Warning: Could not create server TCP listening socket {host}:{port}: "
                f"{_reason(error)}",
            )
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


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "::1")


def _turn_away(sock: socket.socket, message: bytes) -> None:
    """Tell why, as far as the socket takes it without waiting, and hang up."""
    try:
        sock.setblocking(False)
        sock.send(message)
    except OSError:
        pass
    sock.close()
