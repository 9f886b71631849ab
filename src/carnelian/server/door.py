"""Whom the server takes in, and where it listens as its configuration says."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carnelian.engine.ground.refusals import PROTECTED, TOO_MANY, TOO_MANY_WITH_LINKS
from carnelian.net.listener import (
    Listener,
    ListenError,
    MakeTransport,
    keep_alive,
    open_sockets,
    unix_socket,
)
from carnelian.net.transport import Transport
from carnelian.server.client_info import format_address
from carnelian.server.connection import Connection, Hub

if TYPE_CHECKING:
    from carnelian.engine.config import Config
    from carnelian.net.loop import Loop
    from carnelian.server.encryption import Encryption
    from carnelian.server.system.log_file import Log


class Door:
    """Takes accepted sockets in as connections, or turns them away."""

    def __init__(self, hub: Hub, config: Config, log: Log):
        self._hub = hub
        self._config = config
        self._log = log

    def most(self) -> int:
        """How many to take in at a time."""
        return self._config["max-new-connections-per-cycle"]

    def failed(self, error: OSError) -> None:
        """Nothing could be accepted."""
        self._log("warning", f"Accepting client connection: accept: {error.strerror}")

    def admit(self, listener: Listener, sock: socket.socket, address: tuple) -> None:
        """Make a connection of a socket just accepted, which is ours from now on."""
        if self._log.enabled("verbose"):
            self._log("verbose", self._greeting(listener, address))
        reason = self._refusal(listener, address)
        if reason:
            self._hub.engine.stats.rejected_connections += 1
            self._turn_away(listener, sock, reason)
        elif self._tune(listener, sock):
            self._hub.engine.stats.connections += 1
            self._take_in(listener, sock)

    def _take_in(self, listener: Listener, sock: socket.socket) -> Connection:
        hub = self._hub
        transport = listener.make_transport(hub.loop, sock.detach())
        connection = Connection(hub, transport, listener.is_unix)
        hub.adopt(connection)
        return connection

    def _greeting(self, listener: Listener, address: tuple) -> str:
        if listener.is_unix:
            return f"Accepted connection to {self._config['unixsocket']}"
        return f"Accepted {format_address(*address[:2]).decode()}"

    def _refusal(self, listener: Listener, address: tuple) -> bytes:
        """Why somebody may not be served; nothing if he may."""
        cluster = self._hub.engine.cluster
        links = 0 if cluster is None else cluster.connections()
        if len(self._hub.members) + links >= self._config["maxclients"]:
            return TOO_MANY if cluster is None else TOO_MANY_WITH_LINKS
        if not self._config["protected-mode"] or not self._hub.engine.users.default.account.nopass:
            return b""
        return b"" if listener.is_unix or _is_loopback(address[0]) else PROTECTED

    def _turn_away(self, listener: Listener, sock: socket.socket, reason: bytes) -> None:
        """Tell why, as far as the socket takes it without waiting, and hang up."""
        try:
            sock.setblocking(False)
            sock.send(reason)
        except OSError:
            pass
        sock.close()

    def _tune(self, listener: Listener, sock: socket.socket) -> bool:
        """Set what the socket needs; false if the client was faster and has gone."""
        try:
            sock.setblocking(False)
            if not listener.is_unix:
                self._tune_tcp(sock)
        except OSError as error:
            self._log("verbose", f"Error accepting a client connection: {error.strerror}")
            sock.close()
            return False
        return True

    def _tune_tcp(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        interval = self._config["tcp-keepalive"]
        if interval:
            try:
                keep_alive(sock, interval)
            except OSError:
                # Linux takes up to 32767 seconds. With more, its own two hours hold.
                pass


class TlsDoor(Door):
    """The same for encrypted connections, which can be told nothing before they are agreed on."""

    def most(self) -> int:
        """How many to take in at a time: a handshake takes as long as many commands."""
        return self._config["max-new-tls-connections-per-cycle"]

    def _turn_away(self, listener: Listener, sock: socket.socket, reason: bytes) -> None:
        """Tell why after the handshake, unless there are too many already, and hang up."""
        if reason is not PROTECTED or not self._tune(listener, sock):
            sock.close()
            return
        connection = self._take_in(listener, sock)
        connection.output.put_bytes(reason)
        connection.close(True)


# What stands for all interfaces in `bind`, where a - may come before it.
_ALL_INTERFACES = {"*", "0.0.0.0", "::", "::*"}
_OPEN = "WARNING: Carnelian does not require authentication"


class Ports:
    """The sockets of one TCP port; they follow it and ``bind`` when those change."""

    def __init__(
        self,
        loop: Loop,
        door: Door,
        config: Config,
        log: Log,
        directive: str,
        make_transport: MakeTransport = Transport,
    ):
        self._loop = loop
        self._door = door
        self._config = config
        self._log = log
        self._directive = directive
        self._make_transport = make_transport
        self._listeners: list[Listener] = []
        self._served: tuple = (0, ())

    def __len__(self) -> int:
        return len(self._listeners)

    def open(self) -> None:
        """Listen where ``bind`` and the port say, in place of where we listened.

        Raises ListenError, having gone back to where we listened before.
        """
        wanted = (self._config[self._directive], tuple(self._config["bind"]))
        if wanted == self._served:
            return
        before = self._served
        self.close()
        try:
            self._open(*wanted)
        except ListenError:
            if before[0]:
                self._open(*before)
            raise

    def describe(self, name: str) -> list[str]:
        """What INFO's ``listener`` field says, if there is one."""
        if not self._listeners:
            return []
        binds = "".join(f",bind={address}" for address in self._config["bind"])
        return [f"name={name}{binds},port={self._config[self._directive]}"]

    def close(self) -> None:
        """Listen no longer."""
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        self._served = (0, ())

    def _open(self, port: int, addresses: Sequence[str]) -> None:
        sockets = open_sockets(port, addresses, self._config["tcp-backlog"], self._warn)
        mark = self._config["socket-mark-id"]
        for sock in sockets:
            if mark and hasattr(socket, "SO_MARK"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            self._listeners.append(Listener(self._loop, sock, self._door, self._make_transport))
        self._served = (port, tuple(addresses))

    def _warn(self, message: str) -> None:
        self._log("warning", f"Warning: {message}")


class Listeners:
    """All listening sockets of a server."""

    def __init__(self, hub: Hub, config: Config, log: Log, encryption: Encryption):
        self._config = config
        self._log = log
        self._loop = hub.loop
        self._users = hub.engine.users
        self._door = Door(hub, config, log)
        self.tcp = Ports(hub.loop, self._door, config, log, "port")
        self.tls = Ports(
            hub.loop, TlsDoor(hub, config, log), config, log, "tls-port", encryption.accept
        )
        self._unix: Listener | None = None

    def __len__(self) -> int:
        return len(self.tcp) + len(self.tls) + (self._unix is not None)

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
        self._unix = Listener(self._loop, sock, self._door)

    def announce(self) -> None:
        """Say where clients may connect, and warn where anybody may."""
        kinds = {"tcp": len(self.tcp), "unix": self._unix is not None, "tls": len(self.tls)}
        for kind, served in kinds.items():
            if served:
                self._log("notice", f"Ready to accept connections {kind}")
        account = self._users.default.account
        if account.enabled and account.nopass and (len(self.tcp) or len(self.tls)):
            self._log("warning", _OPEN + self._who_may_connect())

    def _who_may_connect(self) -> str:
        if self._config["protected-mode"]:
            return ": any local client may connect."
        if any(address.lstrip("-") in _ALL_INTERFACES for address in self._config["bind"]):
            return (
                " and is not protected by network restrictions: whoever reaches this machine, on "
                "any interface, may connect."
            )
        return ": whoever reaches a configured network interface may connect."

    def describe(self) -> list[str]:
        """What INFO's ``listener`` fields say."""
        described = self.tcp.describe("tcp")
        if self._unix is not None:
            described.append(f"name=unix,bind={self._config['unixsocket']}")
        return described + self.tls.describe("tls")

    def close(self) -> None:
        """Listen nowhere any longer, and take the Unix socket's file away."""
        self.tcp.close()
        self.tls.close()
        if self._unix is None:
            return
        self._unix.close()
        self._unix = None
        self._log("notice", "Removing the unix socket file.")
        try:
            os.unlink(self._config["unixsocket"])
        except OSError as error:
            self._log("warning", f"Error removing the unix socket file: {error.strerror}")


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "::1")
