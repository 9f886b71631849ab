"""What stands in for a server where clients name one: an engine in memory that they share."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from carnelian.embedded.local_engine import Engine
from carnelian.embedded.redis_py.python_clock import PythonClock

if TYPE_CHECKING:
    from carnelian.embedded.local_engine import LocalSession
    from carnelian.embedded.serving.engine_service import Service
    from carnelian.engine.engine import Engine as Core
    from carnelian.keyspace.clock import Clock

Version = str | int | float | tuple[int, ...]

# What scripts may use, in Redis as here: nothing has to be loaded for it.
_LUA_MODULES = frozenset(("bit", "cjson", "cmsgpack", "struct"))
_KINDS = ("redis", "valkey")
# Keys are gone when a test has slept for a moment past their time.
_DEFAULTS = {"hz": 100}

# The servers of those who name a host, a port or a socket.
_places: dict[str, list[FakeServer]] = {}
_places_lock = threading.Lock()


class FakeServer:
    """A server that is none: what its clients share, in this process, in memory alone.

    ``Redis(server=server)`` is a client of it. While ``connected`` is False, whoever uses or makes
    a connection gets a ConnectionError; the data stay.

    Time is what Python's own ``time`` module says, so that tools which replace that (freezegun,
    time-machine) move it; a :class:`carnelian.ManualClock` is moved by hand.

    Args:
        version: of Redis, as a tuple, text or number: commands that came later are unknown, and
            INFO tells of it. None for all there are.
        server_type: ``"redis"`` or ``"valkey"``.
        config: directives by the names that redis.conf has for them.
        clock: the time of the engine.
        directives: as for :class:`carnelian.Engine`.

    Raises:
        ValueError: there is no such type of server, or a version is none.
    """

    def __init__(
        self,
        version: Version | None = None,
        server_type: str = "redis",
        config: dict[Any, Any] | None = None,
        *,
        clock: Clock | None = None,
        **directives: Any,
    ):
        if server_type not in _KINDS:
            raise ValueError(f"Unsupported server type: {server_type}")
        self.version = None if version is None else _parts(version)
        self.server_type = server_type
        self.place: str | None = None
        self._clock = clock
        self._directives = {**_DEFAULTS, **_keywords(config or {}), **directives}
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._connected = True
        self._sessions: weakref.WeakSet[LocalSession] = weakref.WeakSet()

    @property
    def engine(self) -> Engine:
        """The engine of it, made when it is first asked for."""
        with self._lock:
            if self._engine is None:
                engine = Engine(clock=self._clock or PythonClock(), **self._directives)
                if self.version is not None:
                    engine.host.perform(_age, engine.core, self.version)
                self._engine = engine
            return self._engine

    @property
    def connected(self) -> bool:
        """Whether it can be reached; may be set."""
        return self._connected

    @connected.setter
    def connected(self, connected: bool) -> None:
        """Hang up on all, if it is not to be reached."""
        self._connected = bool(connected)
        if not self._connected:
            for session in list(self._sessions):
                session.close()
        services = [] if self._engine is None else self._engine.host.services
        for service in list(services):
            service.reachable = self._connected

    def refusal(self) -> str | None:
        """Why nobody can connect; None if that can be done."""
        if self._connected:
            return None
        return f"Error 111 connecting to {self.place or 'the server'}. Connection refused."

    def joined(self, session: LocalSession) -> None:
        """A client has connected, and is hung up on when the server cannot be reached any more."""
        self._sessions.add(session)
        if not self._connected:
            session.close()

    def serve(self, **places: Any) -> Service:
        """Let others in by sockets; see :meth:`carnelian.Engine.serve`."""
        service = self.engine.serve(**places)
        service.reachable = self._connected
        return service

    def close(self) -> None:
        """End it, and its data."""
        self.engine.close()

    @staticmethod
    def at(place: str, **making: Any) -> FakeServer:
        """The server that all clients of a place share, made with ``making`` for the first.

        Where clients want different versions of one place, each version is a server.

        Raises TypeError if it is there and other directives are given.
        """
        version, kind = making.get("version"), making.get("server_type")
        with _places_lock:
            servers = _places.setdefault(place, [])
            servers[:] = [server for server in servers if not server.closed]
            for server in servers:
                if version is not None and server.version != _parts(version):
                    continue
                if kind is not None and server.server_type != kind:
                    continue
                server._refuse_other(making)
                return server
            server = FakeServer(**making)
            server.place = place
            servers.append(server)
            return server

    @staticmethod
    def get_server(
        key: str, version: Version | None = None, server_type: str = "redis", **making: Any
    ) -> FakeServer:
        """The server of a place, ``"host:port"``; it is made for the first who asks.

        Raises:
            ValueError: there is no such type of server, or a version is none.
        """
        host, _, port = key.rpartition(":")
        if host and port.isdigit():
            place = place_of({"host": host, "port": port})
        else:
            place = key if "://" in key else place_of({"host": key})
        assert place is not None
        return FakeServer.at(place, version=version, server_type=server_type, **making)

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._engine is not None and self._engine.closed

    def _refuse_other(self, making: dict[str, Any]) -> None:
        for name, value in making.items():
            if name not in _NO_DIRECTIVES and self._directives.get(name) != value:
                raise TypeError(f"{self.place} is there already, without {name}={value!r}")


_NO_DIRECTIVES = ("version", "server_type", "config", "clock")


def forget_servers() -> None:
    """End all servers that clients have named by host, port or path, and their data with them."""
    with _places_lock:
        servers = [server for kept in _places.values() for server in kept]
        _places.clear()
    for server in servers:
        server.close()


# -- What clients are made with -------------------------------------------------------------------


def place_of(options: dict[str, Any]) -> str | None:
    """Which server the options of a client name; None if they name none."""
    path = options.get("unix_socket_path") or options.get("path")
    if path is not None:
        return f"unix://{os.fsdecode(path)}"
    host, port = options.get("host"), options.get("port")
    if host is None and port is None:
        return None
    host = str(host or "localhost").lower()
    if host in ("127.0.0.1", "::1"):
        host = "localhost"
    return f"{host}:{6379 if port is None else int(port)}"


def take_server(options: dict[str, Any], directives: dict[str, Any]) -> FakeServer | None:
    """Take out of a client's options what is for its server, and find or make that.

    None if there is nothing that would say so: the client has an engine of its own then.
    """
    server = options.pop("server", None)
    connected = options.pop("connected", None)
    making = {name: options.pop(name) for name in ("version", "server_type") if name in options}
    refuse_unknown_modules(options.pop("lua_modules", None))
    if server is not None and not isinstance(server, FakeServer):
        raise TypeError(f"server is a FakeServer, not {type(server).__name__}")
    place = place_of(options)
    if server is None:
        if place is not None:
            server = FakeServer.at(place, **making, **directives)
        elif making or connected is not None:
            server = FakeServer(**making, **directives)
    if server is not None and connected is not None:
        server.connected = connected
    return server


def refuse_unknown_modules(names: Iterable[str] | None) -> None:
    """Raise ValueError for a Lua module that Redis has not."""
    for name in names or ():
        if name not in _LUA_MODULES:
            raise ValueError(f"scripts of Redis have no module {name!r}, only {_LUA_MODULES}")


# -- Versions -------------------------------------------------------------------------------------


def _parts(version: Version) -> tuple[int, ...]:
    if isinstance(version, tuple):
        return tuple(int(part) for part in version)
    try:
        return tuple(int(part) for part in str(version).split("."))
    except ValueError:
        raise ValueError(f"{version!r} is no version of Redis") from None


def _age(core: Core, version: tuple[int, ...]) -> None:
    """Have an engine be of a version: it says so, and has no commands that came later."""
    core.facts["redis_version"] = ".".join(map(str, (*version, 0, 0)[: max(3, len(version))]))
    for command in list(core.registry.every()):
        if command.declaration.group in ("connection", "module"):
            # Clients of today begin with these, whatever they talk to; a module's are of its own
            # version.
            continue
        since = _parts(command.declaration.documentation.since)
        if since[: len(version)] > version:
            try:
                core.registry.remove(command.declaration.name)
            except KeyError:
                pass  # it has gone with the command that it is a subcommand of


def _keywords(config: dict[Any, Any]) -> dict[str, Any]:
    """Directives by keyword: bytes or text, with ``-`` or ``_``."""
    named = {}
    for name, value in config.items():
        text = name.decode() if isinstance(name, bytes) else str(name)
        named[text.replace("-", "_")] = value
    return named


def _forget_in_child() -> None:
    """In a child made by fork: the engines are the parent's."""
    global _places_lock
    _places_lock = threading.Lock()
    _places.clear()


os.register_at_fork(after_in_child=_forget_in_child)
