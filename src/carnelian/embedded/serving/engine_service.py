"""Sockets through which others use an embedded engine, while its program goes on using it.

A thread turns a loop with the connections. Each is a session of the engine like any other: what
comes in runs as commands do, one at a time with those of the program, under the engine's lock.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

from carnelian.embedded.errors import EngineClosedError
from carnelian.embedded.serving.served_client import ServedClient
from carnelian.engine.ground.refusals import PROTECTED, TOO_MANY
from carnelian.engine.ground.threads import Background, Latch
from carnelian.net.listener import Listener, keep_alive, tcp_socket, unix_socket
from carnelian.net.loop import Loop

if TYPE_CHECKING:
    from carnelian.embedded.serving.served_host import ServedHost

_ACCEPTED_AT_ONCE = 100
# Bytes that the path of a Unix socket may have.
_LONGEST = 107 if sys.platform == "linux" else 103
_LOOPBACK = ("127.0.0.1", "::1")


class Service:
    """Where an engine listens; made by :meth:`carnelian.Engine.serve`. Ends with :meth:`close`, at
    the end of a ``with`` block, or with the engine.

    ``host``, ``port`` and ``unixsocket`` say where it is; those that it does not use are None.
    """

    def __init__(
        self,
        engine_host: ServedHost,
        *,
        port: int | None,
        host: str,
        unixsocket: str | None,
        unixsocketperm: int,
    ):
        self._engine_host = engine_host
        self.core = engine_host.core
        self.host: str | None = None if port is None else host
        # Any: who has asked for one knows that it is there.
        self.port: Any = port
        self.unixsocket: Any = unixsocket
        self.clients: set[ServedClient] = set()
        self._pid = os.getpid()
        self._ident = 0
        self._closing = False
        self._reachable = True
        self._ended = Latch()
        config = self.core.config
        sockets = _open(port, host, unixsocket, unixsocketperm, config["tcp-backlog"])
        if port is not None:
            self.port = sockets[0].getsockname()[1]
        self.loop = Loop()
        self._listeners = [Listener(self.loop, sock, self) for sock in sockets]
        engine_host.services.append(self)
        self._publish()
        try:
            Background("carnelian-service", self._run)
        except RuntimeError:
            # There can be no further thread, which would have ended it as well.
            self._ended.set()
            self.close()
            self._end()
            raise

    @property
    def url(self) -> str:
        """Where clients connect to, as ``redis.Redis.from_url`` takes it."""
        if self.port is None:
            return f"unix://{self.unixsocket}"
        host = f"[{self.host}]" if ":" in str(self.host) else self.host
        return f"redis://{host}:{self.port}"

    @property
    def closed(self) -> bool:
        """Whether nobody is served any longer."""
        return self._closing

    @property
    def reachable(self) -> bool:
        """Whether clients are let in; when it is set to False, those that are there are hung up on,
        and others as soon as they come.
        """
        return self._reachable

    @reachable.setter
    def reachable(self, reachable: bool) -> None:
        """Hang up on all, if it is not to be reached."""
        self._reachable = reachable
        if not reachable and not self._closing:
            self.loop.call_from_thread(self._hang_up)

    def __repr__(self) -> str:
        return f"<carnelian.Service at {self.url}{' closed' if self._closing else ''}>"

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- Who comes -------------------------------------------------------------------------------

    def most(self) -> int:
        """How many to take in at a time."""
        return _ACCEPTED_AT_ONCE

    def failed(self, error: OSError) -> None:
        """Nobody could be let in; who waits is let in later."""
        self.core.log("warning", f"Accepting client connection: accept: {error.strerror}")

    def admit(self, listener: Listener, sock: socket.socket, address: tuple) -> None:
        """Serve who has come, or say why not."""
        if not self._reachable:
            sock.close()
            return
        refusal = self._refusal(listener, address)
        try:
            sock.setblocking(False)
            if refusal:
                self.core.stats.rejected_connections += 1
                sock.send(refusal)
                sock.close()
                return
            if not listener.is_unix:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                keep_alive(sock, 300)
            names = _names(listener, sock, self.unixsocket)
        except OSError:
            sock.close()  # the other side was faster and has gone
            return
        transport = listener.make_transport(self.loop, sock.detach())
        try:
            self.clients.add(ServedClient(self, self._engine_host, transport, *names))
        except EngineClosedError:
            transport.close()

    def _refusal(self, listener: Listener, address: tuple) -> bytes:
        """Why somebody may not be served; nothing if he may."""
        if len(self.clients) >= self.core.config["maxclients"]:
            return TOO_MANY
        if listener.is_unix or address[0] in _LOOPBACK:
            return b""
        if not self.core.config["protected-mode"]:
            return b""
        return PROTECTED if self.core.users.default.account.nopass else b""

    # -- The thread ------------------------------------------------------------------------------

    def soon(self, client: ServedClient) -> None:
        """There is something for a client to be sent; called by any thread."""
        if threading.get_ident() == self._ident:
            self.loop.call_soon(client.drain)
        else:
            self.loop.call_from_thread(client.drain)

    def _run(self) -> None:
        self._ident = threading.get_ident()
        try:
            self.loop.run()
        except BaseException:
            logging.getLogger("carnelian").exception("an engine is served no longer")
        finally:
            self._end()

    def _hang_up(self) -> None:
        for client in list(self.clients):
            client.finish()

    def _stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self.loop.stop()

    def _end(self) -> None:
        """Let go of all, in the loop's thread; clients have been answered by now."""
        for client in list(self.clients):
            client.drain()
            client.finish()
        for listener in self._listeners:
            listener.close()
        self.loop.close()
        self._ended.set()

    # -- The end ---------------------------------------------------------------------------------

    def close(self, *, wait: bool = True) -> None:
        """Serve nobody any longer: what clients have asked for is answered, and they are hung up
        on. The engine goes on. Does nothing when done before.

        Args:
            wait: return when that is done. A command, for which the clients wait, does not.
        """
        if not self._closing:
            self._closing = True
            if self in self._engine_host.services:
                self._engine_host.services.remove(self)
            _unlink(self.unixsocket)
            self._publish()
            self.loop.call_from_thread(self._stop)
        if not wait or threading.get_ident() == self._ident or os.getpid() != self._pid:
            return
        if not self._is_in_command():
            self._ended.wait()

    def _is_in_command(self) -> bool:
        """Whether it is a command of the engine that closes, which has to end first."""
        try:
            self._engine_host.perform(_nothing)
        except EngineClosedError:
            return False
        except RuntimeError:
            return True
        return False

    def forget(self) -> None:
        """In a child made by fork: the sockets are the parent's, who could not end them while
        somebody else has them open.
        """
        self._closing = True
        descriptors = [client.descriptor for client in self.clients]
        for listener in self._listeners:
            descriptors.append(listener.sock.detach())
        for descriptor in descriptors:
            # Without a word to the poller, which is the parent's as well.
            if descriptor >= 0:
                os.close(descriptor)
        self.clients.clear()

    def _publish(self) -> None:
        """What INFO says of where the engine listens."""
        listeners = []
        port = 0
        for service in self._engine_host.services:
            if service.port is not None:
                port = port or service.port
                listeners.append(f"name=tcp,bind={service.host},port={service.port}")
            if service.unixsocket is not None:
                listeners.append(f"name=unix,bind={service.unixsocket}")
        self.core.facts.update(tcp_port=port, listeners=listeners)
        storage, services = self._engine_host.storage, self._engine_host.services
        # Who shares the path has told so before, and until its end.
        if storage is not None and self._engine_host.shared is False:
            storage.tell(services[0].url if services else None)


def _nothing() -> None:
    """For those who only want to know whether they can have the engine."""


def _open(
    port: int | None, host: str, path: str | None, permissions: int, backlog: int
) -> list[socket.socket]:
    """The sockets to listen on, that of TCP first. Raises OSError, with none left open."""
    sockets: list[socket.socket] = []
    try:
        if port is not None:
            sockets.append(tcp_socket(host, port, backlog))
        if path is not None:
            _refuse_too_long(path)
            _clear(path)
            sockets.append(unix_socket(path, permissions, backlog))
    except OSError as error:
        for sock in sockets:
            sock.close()
        if error.filename is None:
            error.filename = path if sockets or port is None else f"{host}:{port}"
        raise
    return sockets


def _refuse_too_long(path: str) -> None:
    """Raise OSError for what the kernel does not take, which Python says without a number."""
    length = len(os.fsencode(path))
    if length > _LONGEST:
        reason = f"Path of a Unix socket is too long: {length} bytes, {_LONGEST} at most"
        raise OSError(errno.ENAMETOOLONG, reason, path)


def _clear(path: str) -> None:
    """Take a socket away that somebody who was killed has left. Raises OSError if it is in use."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            _unlink(path)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)


def _unlink(path: str | None) -> None:
    if path is None:
        return
    try:
        os.unlink(path)
    except OSError:
        pass


def _names(
    listener: Listener, sock: socket.socket, unixsocket: str | None
) -> tuple[bytes, bytes, bool]:
    """Both addresses as CLIENT LIST shows them, and whether the client is on this machine."""
    if listener.is_unix:
        name = f"{unixsocket}:0".encode("utf-8", "surrogateescape")
        return name, name, True
    peer, own = sock.getpeername(), sock.getsockname()
    return _shown(*peer[:2]), _shown(*own[:2]), peer[0] in _LOOPBACK


def _shown(host: str, port: int) -> bytes:
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()
