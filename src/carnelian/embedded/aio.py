"""``carnelian.asyncio.Redis``: redis-py's asyncio client on an engine in the same process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from queue import Empty
from typing import Any

import redis
import redis.asyncio
from redis._parsers.resp3 import _AsyncRESP3Parser
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from carnelian.embedded.client import (
    CLOSED,
    Path,
    pool_options,
    refuse_second_home,
    take_directives,
    without_sockets,
    words_of,
)
from carnelian.embedded.engine import Engine, LocalSession
from carnelian.embedded.errors import EngineClosedError
from carnelian.embedded.shapes import Shaper
from carnelian.resp.replies import Error, Push

# A task that always finds its replies ready lets others run after so many seconds.
_SLICE = 0.001


class Channel(LocalSession):
    """A session where redis-py expects a pair of streams."""

    def __init__(self, engine: Engine, box: Any):
        super().__init__(engine, box)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiter: asyncio.Future[None] | None = None
        self._yielded = self._loop.time()
        self.on_delivery(self._wake)

    async def read(self) -> Any:
        """What comes next; raises EngineClosedError at the end."""
        if self._loop.time() - self._yielded > _SLICE:
            await asyncio.sleep(0)
            self._yielded = self._loop.time()
        while True:
            try:
                return self.fetch(0)
            except Empty:
                await self._arrival()

    async def _arrival(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            # Something may have come before the waiter was there.
            if not self.pending():
                await self._waiter
        finally:
            self._waiter = None
        self._yielded = self._loop.time()

    def _wake(self) -> None:
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


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Parser(_AsyncRESP3Parser):
    """Fetches replies where redis-py's parsers read them."""

    def __init__(self, socket_read_size: int = 0):
        super().__init__(socket_read_size)
        self._channel: Channel | None = None

    def on_connect(self, connection: Any) -> None:
        """Called when there is a session."""
        self._channel = connection._reader
        encoder = self.encoder = connection.encoder
        encoding = encoder.encoding if encoder.decode_responses else None
        self._shaper = Shaper(
            connection.protocol, encoding, encoder.encoding_errors, self.parse_error
        )
        self._raw = Shaper(connection.protocol, None, "", self.parse_error)

    def on_disconnect(self) -> None:
        """Called when the session is to end."""
        self._channel = None

    async def can_read(self) -> bool:
        """Whether there is something to read."""
        return self._channel is not None and self._channel.pending()

    async def read_response(
        self, disable_decoding: bool = False, push_request: bool | None = False
    ) -> Any:
        """The next reply; push messages go to their handlers, and are returned on request."""
        shaper = self._raw if disable_decoding else self._shaper
        while True:
            value = await self._fetch()
            if type(value) is Push and shaper.protocol == 3:
                message = await self.handle_push_response(shaper.shape(value))
                if push_request:
                    return message
                continue
            reply = shaper.shape(value)
            if isinstance(reply, redis.ConnectionError):
                raise reply
            return reply

    async def _fetch(self) -> Any:
        if self._channel is None:
            raise redis.ConnectionError(CLOSED)
        try:
            return await self._channel.read()
        except EngineClosedError:
            raise redis.ConnectionError(CLOSED) from None


class Connection(AbstractConnection):
    """A connection of redis-py's asyncio side that is a session of an engine in this process.

    For pools of one's own: ``redis.asyncio.ConnectionPool(connection_class=Connection,
    engine=engine)``.
    """

    host: Any = None
    port = None

    def __init__(self, *, engine: Engine, **options: Any):
        self.engine = engine
        self._reader: Any = None
        self._writer: Any = None
        options.setdefault("socket_timeout", None)
        super().__init__(**without_sockets(options))

    def __del__(self, _warnings: Any = None) -> None:
        # The session ends with the last reference to it.
        pass

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a connection cannot be copied or pickled")

    def repr_pieces(self) -> list[tuple[str, Any]]:
        """What repr shows."""
        return [("engine", self.engine), ("db", self.db)]

    def _host_error(self) -> str:
        return "the embedded engine"

    def set_parser(self, parser_class: Any) -> None:
        """There is one parser, for either protocol."""
        self._parser = Parser()

    async def _connect(self) -> None:
        try:
            self._reader = self._writer = self.engine.stream(kind=Channel)
        except EngineClosedError as error:
            raise redis.ConnectionError(str(error)) from None

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
        except EngineClosedError as error:
            await self.disconnect(nowait=True)
            raise redis.ConnectionError(str(error)) from None
        except Error as error:
            # The disk did not take what was run.
            await self.disconnect(nowait=True)
            raise redis.ResponseError(str(error)) from None
        except BaseException:
            await self.disconnect(nowait=True)
            raise


class Redis(redis.asyncio.Redis):
    """redis-py's asyncio client, on an engine in this process; see :class:`carnelian.Redis`.

    An engine may be shared by clients of several event loops and threads, and by synchronous ones.
    With a path, the data is loaded here and now, in the calling thread; :meth:`aclose` saves it in
    another, and leaves the loop free. For a large file, make the engine in a thread of its own:
    ``Redis(engine=await asyncio.to_thread(carnelian.Engine, path))``.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        engine: Engine | None = None,
        connection_pool: redis.asyncio.ConnectionPool | None = None,
        single_connection_client: bool = False,
        event_dispatcher: Any = None,
        **options: Any,
    ):
        refuse_second_home(path, engine, connection_pool)
        self._own_engine: Engine | None = None
        shared = connection_pool is not None
        if connection_pool is None:
            directives = take_directives(redis.asyncio.Redis, options) if engine is None else {}
            options.setdefault("retry", Retry(NoBackoff(), 3))
            options = pool_options(redis.asyncio.Redis, options)
            if engine is None:
                engine = self._own_engine = Engine(path, **directives)
            connection_pool = redis.asyncio.ConnectionPool(
                connection_class=Connection, engine=engine, **options
            )
        super().__init__(
            connection_pool=connection_pool,
            single_connection_client=single_connection_client,
            event_dispatcher=event_dispatcher,
            credential_provider=options.get("credential_provider"),
        )
        self.auto_close_connection_pool = not shared

    @classmethod
    def from_url(  # type: ignore[override]
        cls, url: str, *, engine: Engine | None = None, **options: Any
    ) -> Redis:
        """A client with the database and the options of a URL; see the synchronous one."""
        single = options.pop("single_connection_client", False)
        own = Engine() if engine is None else None
        options.setdefault("retry", Retry(NoBackoff(), 3))
        options = pool_options(redis.asyncio.Redis, options)
        pool = redis.asyncio.ConnectionPool.from_url(
            url, connection_class=Connection, engine=engine or own, **options
        )
        client = cls(connection_pool=pool, single_connection_client=single)
        client.auto_close_connection_pool = True
        client._own_engine = own
        return client

    @property
    def engine(self) -> Engine:
        """The engine that the client works on."""
        return self.connection_pool.connection_kwargs["engine"]

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """End the client's connections, and save and end the engine if it is the client's own."""
        await super().aclose(close_connection_pool)
        if self._own_engine is not None:
            await asyncio.to_thread(self._own_engine.close)
