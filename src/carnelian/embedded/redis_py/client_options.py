"""What a redis-py client is made with here: arguments, directives, URLs, and the engine of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.maint_notifications import MaintNotificationsConfig

from carnelian.embedded.local_engine import Engine
from carnelian.embedded.options.directives import NAMES, is_directive
from carnelian.embedded.options.locations import Path, data_path
from carnelian.embedded.redis_py.fake_server import refuse_unknown_modules, take_server

# What only sockets need, accepted so that code written for a server runs as it is.
OF_SOCKETS = frozenset(
    ("host", "port", "unix_socket_path", "socket_keepalive", "socket_keepalive_options", "path")
)


def without_sockets(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a client without those that only concern sockets."""
    return {
        name: value
        for name, value in options.items()
        if name not in OF_SOCKETS and name != "ssl" and not name.startswith("ssl_")
    }


def refuse_second_home(*homes: object) -> None:
    """Raise TypeError if more than one of these says where the data is."""
    if sum(home is not None for home in homes) > 1:
        raise TypeError(
            "Redis() takes a path, an engine, a server or a connection pool, not two of them"
        )


def refuse_positional(others: tuple[Any, ...]) -> None:
    """Raise TypeError if a client was made as one of a server: host, port, database."""
    if others:
        raise TypeError(
            "Redis() takes one positional argument, the path of its data: there is no host and no "
            "port to connect to. Redis(db=0) is in memory, Redis('app.db', db=0) in a file; "
            "host=... and port=... name one in memory that all in this process share who name the "
            "same"
        )


def shallow_copy(client: Any) -> Any:
    """A ``__copy__`` for clients: what they are made of is shared."""
    twin = object.__new__(type(client))
    twin.__dict__.update(client.__dict__)
    return twin


def refuse_deep_copies(client: object, protocol: object) -> Any:
    """A ``__reduce_ex__`` for clients: raises TypeError."""
    raise TypeError(
        "a client of an engine cannot be pickled or deeply copied: make one where it is needed, "
        "with the path and share=True in another process"
    )


def engine_of(options: dict[str, Any]) -> Engine:
    """The engine that connections with these options are for."""
    engine = options.get("engine")
    if engine is None and "shared" in options:
        engine = options["shared"].engine
    if engine is None:
        raise RuntimeError("the engine is in another process")
    return engine


class Clients:
    """How clients of one kind are made.

    Args:
        base: redis-py's class, as it is before anybody puts another one in its place.
        pool: the class of its connection pool.
        connection: the class of the connections in there.
        retry: redis-py's class of retries that goes with them.
        outside: the name of the class of connections to another process.
    """

    def __init__(
        self, base: type, pool: type, connection: type, retry: Callable[..., Any], outside: str
    ):
        parameters = inspect.signature(base.__init__).parameters  # type: ignore[misc]
        self._known = frozenset(parameters) - {"self", "connection_pool"}
        self._pool = pool
        self._connection = connection
        self._retry = retry
        self._outside = outside

    def open(self, path: Path | None, engine: Engine | None, options: dict[str, Any]) -> Any:
        """A pool for a client, and what is to be closed with it, if that is not shared by others.

        Without a path and an engine, those who name a server share what stands in for it.

        Raises TypeError for an option that neither the client nor the engine knows.
        """
        directives = self._take_directives(options) if engine is None else {}
        if options.pop("share", False):
            if path is None:
                raise TypeError("Redis() shares a path: share=True needs one")
            return self._open_shared(path, directives, options)
        own = server = None
        if path is None and engine is None:
            server = take_server(options, directives)
        else:
            _drop_servers(options)
        options = self._pool_options(options, engine is None)
        if server is not None:
            engine = server.engine
        elif engine is None:
            engine = own = Engine(path, **directives)
        pool = self._pool(
            connection_class=self._connection, engine=engine, server=server, **options
        )
        return pool, own

    def _open_shared(self, path: Path, directives: dict[str, Any], options: dict[str, Any]) -> Any:
        from carnelian.embedded.sharing import shared_connections
        from carnelian.embedded.sharing.shared_path import shared_path

        place = data_path(path)
        if place is None:
            raise ValueError(f"{path!r} is no file that others could find")
        _drop_servers(options)
        options = self._pool_options(options, True)
        shared = shared_path(place, directives)
        outside = getattr(shared_connections, self._outside)
        maker = shared_connections.connection_maker(self._connection, outside)
        # Before it is reached, so that nobody else ends what is found there.
        use = shared.use()
        try:
            shared.reach()
            return self._pool(connection_class=maker, shared=shared, **options), use
        except BaseException:
            use.close()
            raise

    def open_url(self, url: str, engine: Engine | None, options: dict[str, Any]) -> Any:
        """As :meth:`open`, with what a URL says; it has the last word, as with redis-py."""
        said = parse_url(url)
        said.pop("connection_class", None)
        options = {**options, **said}
        path = options.pop("path", None)
        if url.startswith("unix://"):
            # That of a socket.
            options["unix_socket_path"], path = path, None
        elif path is None and engine is None and options.get("server") is None:
            options.setdefault("host", "localhost")
        refuse_second_home(path, engine, options.get("server"))
        return self.open(path, engine, options)

    def _take_directives(self, options: dict[str, Any]) -> dict[str, Any]:
        """Take those options out that are directives, rather than options of the client."""
        names = [name for name in options if name not in self._known and _is_of_engine(name)]
        return {name: options.pop(name) for name in names}

    def _pool_options(self, options: dict[str, Any], owning: bool) -> dict[str, Any]:
        for name in options:
            if name not in self._known:
                raise TypeError(_unknown(name, self._known, owning))
        options = without_sockets(options)
        options.setdefault("socket_timeout", None)
        # Nothing is won by waiting before an attempt is repeated within one process.
        options.setdefault("retry", self._retry(NoBackoff(), 3))
        options["retry_on_error"] = options.get("retry_on_error") or []
        options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
        return options


def _drop_servers(options: dict[str, Any]) -> None:
    """Take out what is for a server in place of which there is an engine, or a path, already."""
    refuse_second_home(True, options.pop("server", None))
    for name in ("connected", "version", "server_type"):
        options.pop(name, None)
    refuse_unknown_modules(options.pop("lua_modules", None))


def _is_of_engine(name: str) -> bool:
    """Whether an argument is for the engine rather than for the client."""
    return name == "modules" or is_directive(name)


def _unknown(name: str, known: frozenset[str], owning: bool) -> str:
    message = f"Redis() got an unexpected keyword argument {name!r}"
    if not owning and _is_of_engine(name):
        what = "modules" if name == "modules" else "directives"
        return f"{message}: the engine is made already, {what} are for Engine({name}=...)"
    names = [*known, "modules", *(one.replace("-", "_") for one in NAMES)] if owning else known
    near = get_close_matches(name, names, 1)
    return f"{message}. Did you mean {near[0]!r}?" if near else message
