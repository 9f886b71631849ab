"""``carnelian.asyncio.Redis``: redis-py's asyncio client on an engine in the same process."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty
from typing import TYPE_CHECKING, Any, Unpack

import redis.asyncio.client
from redis._parsers.resp3 import _AsyncRESP3Parser
from redis.asyncio.client import CaseInsensitiveDict
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.observability import recorder
from redis.asyncio.retry import Retry
from redis.client import EMPTY_RESPONSE, NEVER_DECODE
from redis.event import (
    AsyncAfterConnectionReleasedEvent,
    AsyncReAuthConnectionListener,
    EventDispatcher,
)
from redis.exceptions import ConnectionError, ResponseError
from redis.observability import providers

from carnelian.embedded.client import CLOSED, words_of
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
from carnelian.embedded.redis_py.shortcut import PENDING, UNFIT, Line, Shortcut, Unfinished
from carnelian.engine.ground.copies import refuse_copies
from carnelian.resp.replies import Error, Push

if TYPE_CHECKING:
    from carnelian.embedded.options.keywords import ClientOptions

# A task that always finds its replies ready lets others run after so many seconds.
_SLICE = 0.001

_DAY = 24 * 3600.0

# Types of replies that are not to be awaited, for sure.
_PLAIN = frozenset((bytes, str, int, float, bool, list, dict, set, tuple, type(None)))


class Channel(LocalSession):
    """A session where redis-py expects a pair of streams."""

    def __init__(self, engine: Engine, box: Any):
        super().__init__(engine, box)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiter: asyncio.Future[None] | None = None
        # Since when the loop has not come round, as far as is known here.
        self._busy_since: float | None = None

    async def read(self) -> Any:
        """What comes next; raises EngineClosedError at the end."""
        if self._busy_since is None:
            self._busy_since = self._loop.time()
            self.call_soon(self._turned)
        elif self._loop.time() - self._busy_since > _SLICE:
            await asyncio.sleep(0)
        while True:
            try:
                return self.fetch(0)
            except Empty:
                await self._arrival()

    async def _arrival(self) -> None:
        self._waiter = self._loop.create_future()
        # The loop keeps what waits alive, as it does with sockets, and lets go when it is closed.
        kept = self._loop.call_later(_DAY, _do_nothing, self)
        self.hear(True)
        try:
            # Something may have come before the waiter was there.
            if not self.pending():
                await self._waiter
        finally:
            self.hear(False)
            kept.cancel()
            self._waiter = None

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have a function called when the loop comes round."""
        self._loop.call_soon(function)

    def _turned(self) -> None:
        self._busy_since = None

    def delivered(self) -> None:
        """Wake the task that waits."""
        super().delivered()
        waiter = self._waiter
        if waiter is None:
            return
        if threading.get_ident() == self._thread:
            _resolve(waiter)
            return
        try:
            self._loop.call_soon_threadsafe(_resolve, waiter)
        except RuntimeError:
            # The loop is closed, and nobody waits any longer.
            pass

    async def wait_closed(self) -> None:
        """It is closed when close() returns."""


def _do_nothing(channel: Channel) -> None:
    """Called by a loop that has run for a day; what waits then is kept by others or nobody."""


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Parser(_AsyncRESP3Parser):
    """Fetches replies where redis-py's parsers read them."""

    def __init__(self, socket_read_size: int = 0):
        super().__init__(socket_read_size)
        self._channel: Channel | None = None
        self._fetched: list[Any] = []
        self.line: Line | None = None

    def on_connect(self, connection: Any) -> None:
        """Called when there is a session."""
        self._channel = connection._reader
        self._fetched = []
        encoder = self.encoder = connection.encoder
        encoding = encoder.encoding if encoder.decode_responses else None
        self._shaper = Shaper(
            connection.protocol, encoding, encoder.encoding_errors, self.parse_error
        )
        self._raw = Shaper(connection.protocol, None, "", self.parse_error)
        self.line = Line(
            self._channel, self._shaper, encoder, self._fetched, self._channel.call_soon
        )

    def on_disconnect(self) -> None:
        """Called when the session is to end."""
        self._channel = self.line = None

    async def can_read(self) -> bool:
        """Whether there is something to read."""
        return bool(self._fetched) or (self._channel is not None and self._channel.pending())

    async def read_response(
        self, disable_decoding: bool = False, push_request: bool | None = False
    ) -> Any:
        """The next reply; push messages go to their handlers, and are returned on request."""
        shaper = self._raw if disable_decoding else self._shaper
        while True:
            value = self._fetched.pop() if self._fetched else await self._fetch()
            if type(value) is Push and shaper.protocol == 3:
                message = await self.handle_push_response(shaper.shape(value))
                if push_request:
                    return message
                continue
            reply = shaper.shape(value)
            if isinstance(reply, ConnectionError):
                raise reply
            return reply

    async def _fetch(self) -> Any:
        if self._channel is None:
            raise ConnectionError(CLOSED)
        try:
            return await self._channel.read()
        except SessionCutError as error:
            raise ConnectionError(str(error)) from None
        except EngineClosedError:
            raise ConnectionError(CLOSED) from None


class Connection(AbstractConnection):
    """A connection of redis-py's asyncio side that is a session of an engine in this process.

    For pools of one's own: ``redis.asyncio.ConnectionPool(connection_class=Connection,
    engine=engine)``.
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
        self._reader: Any = None
        self._writer: Any = None
        options.setdefault("socket_timeout", None)
        super().__init__(**without_sockets(options))

    def __del__(self, _warnings: Any = None) -> None:
        # The session ends with the last reference to it.
        pass

    __reduce_ex__ = refuse_copies("a connection")

    def repr_pieces(self) -> list[tuple[str, Any]]:
        """What repr shows."""
        return [("engine", self.engine), ("db", self.db)]

    def _host_error(self) -> str:
        return "the embedded engine"

    def set_parser(self, parser_class: Any) -> None:
        """There is one parser, for either protocol."""
        self._parser = Parser()

    async def _connect(self) -> None:
        refusal = None if self.server is None else self.server.refusal()
        if refusal is not None:
            raise ConnectionError(refusal)
        try:
            self._reader = self._writer = self.engine.stream(kind=Channel)
        except EngineClosedError as error:
            raise ConnectionError(str(error)) from None
        if self.server is not None:
            self.server.joined(self._writer)

    async def connect(self) -> None:
        """Begin a session if there is none."""
        if self._reader is None:
            await super().connect()

    def pack_command(self, *args: Any) -> list[Any]:
        """One command as :meth:`send_packed_command` takes it."""
        return [words_of(args, self.encoder.encode)]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[Any]:
        """Several commands as :meth:`send_packed_command` takes them."""
        encode = self.encoder.encode
        return [words_of(tuple(args), encode) for args in commands]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Run commands; their replies are to be read."""
        if self._reader is None:
            await self.connect_check_health(check_health=False)
        if check_health and self.health_check_interval:
            await self.check_health()
        try:
            self._writer.submit(command)
        except (EngineClosedError, Error) as error:
            raise self.failed(error) from None
        except BaseException:
            self.hang_up()
            raise

    def failed(self, error: Exception) -> Exception:
        """Disconnect after a command could not be run; returns what redis-py calls the error."""
        self.hang_up()
        # If it is a reply, then the disk did not take what was run.
        kind = ConnectionError if isinstance(error, EngineClosedError) else ResponseError
        return kind(str(error))

    def hang_up(self) -> None:
        """Disconnect at once."""
        self._parser.on_disconnect()
        self._reset_himport_state()
        self.reset_should_reconnect()
        self._close()

    def _close(self) -> None:
        channel = self._writer
        self._reader = self._writer = None
        if channel is not None:
            channel.close()


_clients = Clients(
    redis.asyncio.client.Redis, ConnectionPool, Connection, Retry, "SharedAsyncSocket"
)


class Redis(redis.asyncio.client.Redis):
    """redis-py's asyncio client, on an engine in this process; see :class:`carnelian.Redis`.

    An engine may be shared by clients of several event loops and threads, and by synchronous ones.
    With a path, the data is loaded here and now, in the calling thread; :meth:`aclose` saves it in
    another, and leaves the loop free. For a large file, make the engine in a thread of its own:
    ``Redis(engine=await asyncio.to_thread(carnelian.Engine, path))``.
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

    @classmethod
    def from_url(  # type: ignore[override]
        cls,
        url: str,
        *,
        engine: Engine | None = None,
        server: FakeServer | None = None,
        **options: Unpack[ClientOptions],
    ) -> Redis:
        """A client with the database and the options of a URL; see the synchronous one."""
        others: dict[str, Any] = {**options}
        single = others.pop("single_connection_client", False)
        pool, own = _clients.open_url(url, engine, {**others, "server": server})
        client = cls(connection_pool=pool, single_connection_client=single)
        client.auto_close_connection_pool = True
        client._own_engine = own
        return client

    # -- Commands --------------------------------------------------------------------------------

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command and return its reply, as redis-py says."""
        reply = _shortcut.run_now(self, args, options)
        if reply is UNFIT:
            return await super().execute_command(*args, **options)
        if type(reply) is Unfinished:
            return await self._go_on(reply.connection, reply.first, args, options)
        if _shortcut.overdue:
            await asyncio.sleep(0)
        if type(reply) in _PLAIN or not inspect.isawaitable(reply):
            return reply
        return await reply

    async def _go_on(self, connection: Any, first: Any, args: Any, options: Any) -> Any:
        """Read the reply of a command that was run, or do what follows the error of a first try."""
        name = args[0]
        firsts = [first]
        started = time.monotonic()

        async def attempt() -> Any:
            if not firsts:
                return await self._send_command_parse_response(connection, name, *args, **options)
            outcome = firsts.pop()
            if outcome is PENDING:
                return await self.parse_response(connection, name, **options)
            if isinstance(outcome, ConnectionError):
                connection.hang_up()
            raise outcome

        def fail(error: Exception, failures: int) -> Any:
            return self._close_connection(connection, error, failures, started, name)

        single = self.single_connection_client
        if single:
            await self._single_conn_lock.acquire()
        try:
            return await connection.retry.call_with_retry(attempt, fail, with_failure_count=True)
        finally:
            try:
                if single and connection.should_reconnect():
                    await self._close_connection(connection)
                    await connection.connect()
            finally:
                if single:
                    self._single_conn_lock.release()
                else:
                    await self.connection_pool.release(connection)

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

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """End the client's connections, and save and end the engine if it is the client's own."""
        await super().aclose(close_connection_pool)
        if self._own_engine is not None:
            await asyncio.to_thread(self._own_engine.close)


_shortcut = Shortcut(
    base=redis.asyncio.client.Redis,
    client=Redis,
    pool=ConnectionPool,
    connection=Connection,
    callbacks=CaseInsensitiveDict,
    dispatcher=EventDispatcher,
    released=AsyncAfterConnectionReleasedEvent,
    listener=AsyncReAuthConnectionListener,
    recorder=recorder,
    collector="_async_metrics_collector",
    providers=providers,
    unusual=frozenset((EMPTY_RESPONSE, NEVER_DECODE)),
    response_error=ResponseError,
    connection_error=ConnectionError,
)
