"""``carnelian.Redis``: the client of redis-py on an engine in the same process.

Between the two stands an object in place of redis-py's connection: it hands over lists of
arguments and takes replies as Python values, so nothing is encoded for a wire.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from queue import Empty
from typing import TYPE_CHECKING, Any, Unpack

try:
    import redis
except ImportError as error:
    raise ImportError(
        "carnelian.Redis needs redis-py 8: pip install 'redis>=8,<9'", name="redis"
    ) from error

# By the names that these have at home: whoever puts another class in the place of redis.Redis
# (test suites do, with this one) changes nothing here.
import redis.client
from redis._parsers import _RESP3Parser
from redis.client import EMPTY_RESPONSE, NEVER_DECODE, CaseInsensitiveDict
from redis.connection import AbstractConnection, ConnectionPool
from redis.event import AfterConnectionReleasedEvent, EventDispatcher, ReAuthConnectionListener
from redis.exceptions import ConnectionError, ResponseError
from redis.observability import providers, recorder
from redis.retry import Retry
from redis.utils import SENTINEL

from carnelian.embedded.errors import EngineClosedError, SessionCutError
from carnelian.embedded.local_engine import Engine, LocalSession
from carnelian.embedded.options.locations import Path
from carnelian.embedded.redis_py.client_options import (
    Clients,
    engine_of,
    refuse_deep_copies,
    refuse_positional,
    refuse_second_home,
    shallow_copy,
    without_sockets,
)
from carnelian.embedded.redis_py.fake_server import FakeServer, take_server
from carnelian.embedded.redis_py.shapes import Shaper
from carnelian.embedded.redis_py.shortcut import PENDING, UNFIT, Line, Shortcut
from carnelian.engine.ground.copies import refuse_copies
from carnelian.resp.replies import Error, Push

if TYPE_CHECKING:
    from carnelian.embedded.options.keywords import ClientOptions

CLOSED = "Connection closed by server."


def words_of(args: tuple[Any, ...], encode: Any) -> list[bytes]:
    """The words of one command; its name may hold several (``"CONFIG GET"``)."""
    name = args[0]
    words = (name.encode() if isinstance(name, str) else bytes(name)).split()
    for arg in args[1:]:
        word = encode(arg)
        words.append(word if type(word) is bytes else bytes(word))
    return words


class Channel(LocalSession):
    """A session where redis-py expects a socket."""

    def shutdown(self, how: int) -> None:
        """Nothing to do: closing follows."""

    def getpeername(self) -> tuple[str, int]:
        """An address that is none."""
        return ("embedded", 0)

    def settimeout(self, timeout: float | None) -> None:
        """Each read says how long it waits."""

    def gettimeout(self) -> float | None:
        """Each read says how long it waits."""
        return None


class Parser(_RESP3Parser):
    """Fetches replies where redis-py's parsers read them."""

    def __init__(self, socket_read_size: int = 0):
        super().__init__(socket_read_size)
        self._channel: Channel | None = None
        self._timeout: float | None = None
        self._fetched: list[Any] = []
        self.line: Line | None = None

    def on_connect(self, connection: Any) -> None:
        """Called when there is a session."""
        self._channel = connection._sock
        self._timeout = connection.socket_timeout
        self._fetched = []
        encoder = self.encoder = connection.encoder
        encoding = encoder.encoding if encoder.decode_responses else None
        self._shaper = Shaper(
            connection.protocol, encoding, encoder.encoding_errors, self.parse_error
        )
        self._raw = Shaper(connection.protocol, None, "", self.parse_error)
        self.line = Line(self._channel, self._shaper, encoder, self._fetched)

    def on_disconnect(self) -> None:
        """Called when the session is to end."""
        self._channel = self.line = None

    def can_read(self, timeout: float | None = 0) -> bool:
        """Whether something arrives within ``timeout`` seconds."""
        if self._fetched or (self._channel is not None and self._channel.pending()):
            return True
        if self._channel is None or timeout == 0:
            return False
        try:
            self._fetched.append(self._fetch(timeout))
        except TimeoutError:
            return False
        return True

    def read_response(
        self,
        disable_decoding: bool = False,
        push_request: bool = False,
        timeout: Any = SENTINEL,
    ) -> Any:
        """The next reply; push messages go to their handlers, and are returned on request."""
        shaper = self._raw if disable_decoding else self._shaper
        seconds = self._timeout if timeout is SENTINEL else timeout
        while True:
            value = self._fetched.pop() if self._fetched else self._fetch(seconds)
            if type(value) is Push and shaper.protocol == 3:
                message = self.handle_push_response(shaper.shape(value))
                if push_request:
                    return message
                continue
            reply = shaper.shape(value)
            if isinstance(reply, ConnectionError):
                raise reply
            return reply

    def _fetch(self, timeout: float | None) -> Any:
        if self._channel is None:
            raise ConnectionError(CLOSED)
        try:
            return self._channel.fetch(timeout)
        except Empty:
            raise TimeoutError("timed out") from None
        except SessionCutError as error:
            raise ConnectionError(str(error)) from None
        except EngineClosedError:
            raise ConnectionError(CLOSED) from None


class Connection(AbstractConnection):
    """A connection of redis-py that is a session of an engine in this process.

    For pools of one's own: ``redis.ConnectionPool(connection_class=Connection, engine=engine)``.
    What authenticates, selects a database, retries and subscribes again is redis-py's own code.
    """

    host: Any = None
    port = None

    def __init__(
        self, *, engine: Engine | None = None, server: FakeServer | None = None, **options: Any
    ):
        if engine is None:
            # In a pool of somebody's own, which names a server or leaves it at the usual one.
            options.setdefault("host", "localhost")
            options["server"] = server
            server = take_server(options, {})
            assert server is not None
            engine = server.engine
        self.engine = engine
        self.server = server
        self._sock: Any = None
        options.setdefault("socket_timeout", None)
        super().__init__(**without_sockets(options))

    __reduce_ex__ = refuse_copies("a connection")

    def repr_pieces(self) -> list[tuple[str, Any]]:
        """What repr shows."""
        return [("engine", self.engine), ("db", self.db)]

    def _host_error(self) -> str:
        return "the embedded engine"

    def set_parser(self, parser_class: Any) -> None:
        """There is one parser, for either protocol."""
        self._parser = Parser()

    def _connect(self) -> LocalSession:
        refusal = None if self.server is None else self.server.refusal()
        if refusal is not None:
            raise ConnectionError(refusal)
        try:
            channel = self.engine.stream(kind=Channel)
        except EngineClosedError as error:
            raise ConnectionError(str(error)) from None
        if self.server is not None:
            self.server.joined(channel)
        return channel

    def connect(self) -> None:
        """Begin a session if there is none."""
        if self._sock is None:
            super().connect()

    def pack_command(self, *args: Any) -> list[list[bytes]]:
        """One command as :meth:`send_packed_command` takes it."""
        return [words_of(args, self.encoder.encode)]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[list[bytes]]:
        """Several commands as :meth:`send_packed_command` takes them."""
        encode = self.encoder.encode
        return [words_of(tuple(args), encode) for args in commands]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Run commands; their replies are to be read."""
        if self._sock is None:
            self.connect_check_health(check_health=False)
        if check_health and self.health_check_interval:
            self.check_health()
        try:
            self._sock.submit(command)
        except (EngineClosedError, Error) as error:
            raise self.failed(error) from None
        except BaseException:
            self.disconnect()
            raise

    def failed(self, error: Exception) -> Exception:
        """Disconnect after a command could not be run; returns what redis-py calls the error."""
        self.disconnect()
        # If it is a reply, then the disk did not take what was run.
        kind = ConnectionError if isinstance(error, EngineClosedError) else ResponseError
        return kind(str(error))

    def hang_up(self) -> None:
        """Disconnect at once."""
        self.disconnect()

    def send_command(self, *args: Any, **options: Any) -> None:
        """Run one command; its reply is to be read."""
        self.send_packed_command(
            [words_of(args, self.encoder.encode)], options.get("check_health", True)
        )


_clients = Clients(redis.client.Redis, ConnectionPool, Connection, Retry, "SharedSocket")


class Redis(redis.client.Redis):
    """redis-py's client, on an engine in this process.

    ``Redis()`` has an engine of its own, which ends with :meth:`close`, and ``Redis("app.db")`` one
    that keeps its data in that path. ``Redis(engine=engine)`` shares one. Those who name a host, a
    port or the path of a socket share an engine in memory with all who name the same in this
    process: nobody is connected to. All other arguments are those of :class:`redis.Redis`; what
    concerns sockets is not used, and ``socket_timeout`` is None unless given, so that blocking
    commands may block.

    Args:
        path: where the data is kept, as for :class:`carnelian.Engine`; in memory alone if None.
        engine: the engine to use.
        server: a :class:`carnelian.testing.FakeServer` to be a client of. ``version``,
            ``server_type`` and ``connected`` are for the one that is made if there is none yet.
        share: have the path open together with other processes that say the same: one of them has
            the engine, the others are its clients, and the next one goes on when it ends.
            ``appendonly`` is True then unless given.
        options: arguments of redis.Redis, and directives for an engine of its own
            (``appendonly=True``).

    Raises:
        TypeError: an argument that neither knows, or two places for the data.
        carnelian.DatabaseError, OSError: the path cannot be used, as for :class:`carnelian.Engine`.
    """

    def __init__(
        self,
        path: Path | None = None,
        *others: Any,
        engine: Engine | None = None,
        server: FakeServer | None = None,
        connection_pool: ConnectionPool | None = None,
        single_connection_client: bool = False,
        event_dispatcher: Any = None,
        **options: Unpack[ClientOptions],
    ):
        refuse_positional(others)
        refuse_second_home(path, engine, server, connection_pool)
        self._own_engine: Any = None
        shared = connection_pool is not None
        credentials = options.get("credential_provider")
        if connection_pool is None:
            connection_pool, self._own_engine = _clients.open(
                path, engine, {**options, "server": server}
            )
        super().__init__(
            connection_pool=connection_pool,
            single_connection_client=single_connection_client,
            event_dispatcher=event_dispatcher,
            credential_provider=credentials,
        )
        self.auto_close_connection_pool = not shared
        # A path that is shared outlives this process: a child made by fork goes on with it.
        self._follow: Any = None
        if "shared" in connection_pool.connection_kwargs:
            from carnelian.embedded.sharing.forked_clients import follow

            self._follow = follow
            follow(self)

    @classmethod
    def from_url(  # type: ignore[override]
        cls,
        url: str,
        *,
        engine: Engine | None = None,
        server: FakeServer | None = None,
        **options: Unpack[ClientOptions],
    ) -> Redis:
        """A client with the database and the options of a URL.

        Clients whose URLs name the same host and port, or the same socket, share an engine in
        memory, unless they are given an ``engine`` or a ``server``: ``redis://localhost/2`` is
        database 2 of that of localhost. ``redis://?path=app.db`` says where the data of an engine
        of its own is, as the argument ``path`` does.
        """
        others: dict[str, Any] = {**options}
        single = others.pop("single_connection_client", False)
        pool, own = _clients.open_url(url, engine, {**others, "server": server})
        client = cls(connection_pool=pool, single_connection_client=single)
        client.auto_close_connection_pool = True
        client._own_engine = own
        return client

    # -- What holds a connection -----------------------------------------------------------------

    def pubsub(self, **options: Any) -> redis.client.PubSub:
        """What subscribes, as with redis-py."""
        subscriber = super().pubsub(**options)
        if self._follow is not None:
            self._follow(subscriber)
        return subscriber

    def pipeline(self, *args: Any, **options: Any) -> redis.client.Pipeline:
        """What queues commands, as with redis-py."""
        pipeline = super().pipeline(*args, **options)
        if self._follow is not None:
            self._follow(pipeline)
        return pipeline

    # -- Commands --------------------------------------------------------------------------------

    def _execute_command(self, *args: Any, **options: Any) -> Any:
        reply = _shortcut.run(self, args, options)
        if reply is UNFIT:
            return super()._execute_command(*args, **options)
        return reply

    def _go_on(self, connection: Connection, first: Any, args: Any, options: Any) -> Any:
        """Read the reply of a command that was run, or do what follows the error of a first try."""
        name = args[0]
        firsts = [first]
        started = time.monotonic()

        def attempt() -> Any:
            if not firsts:
                return self._send_command_parse_response(connection, name, *args, **options)
            outcome = firsts.pop()
            if outcome is PENDING:
                return self.parse_response(connection, name, **options)
            if isinstance(outcome, ConnectionError):
                connection.disconnect()
            raise outcome

        def fail(error: Exception, failures: int) -> None:
            self._close_connection(connection, error, failures, started, name)

        return connection.retry.call_with_retry(attempt, fail, with_failure_count=True)

    # -- Copies ----------------------------------------------------------------------------------

    __copy__ = shallow_copy
    __reduce_ex__ = refuse_deep_copies

    # -- The end ---------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine that the client works on.

        Raises RuntimeError if it is in another process, as that of a path that is shared may be.
        """
        return engine_of(self.connection_pool.connection_kwargs)

    def close(self) -> None:
        """End the client's connections, and save and end the engine if it is the client's own.

        Raises carnelian.DatabaseSaveError as :meth:`carnelian.Engine.close` does; close again then,
        or end ``client.engine`` without saving.
        """
        super().close()
        own = getattr(self, "_own_engine", None)
        if own is not None:
            own.close()

    def __del__(self) -> None:
        # Connections end with the last reference to them; a pipeline may go on with them.
        pass


_shortcut = Shortcut(
    base=redis.client.Redis,
    client=Redis,
    pool=ConnectionPool,
    connection=Connection,
    callbacks=CaseInsensitiveDict,
    dispatcher=EventDispatcher,
    released=AfterConnectionReleasedEvent,
    listener=ReAuthConnectionListener,
    recorder=recorder,
    collector="_metrics_collector",
    providers=providers,
    unusual=frozenset((EMPTY_RESPONSE, NEVER_DECODE)),
    response_error=ResponseError,
    connection_error=ConnectionError,
)
