"""Connections of redis-py to a path that several processes share.

Where this process has the engine they are sessions of it, elsewhere Unix sockets. One of these may
outlive the process that it leads to: it connects anew to whoever has the path then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from redis.exceptions import ConnectionError

from carnelian.embedded.errors import DatabaseError

if TYPE_CHECKING:
    from carnelian.embedded.local_engine import Engine
    from carnelian.embedded.sharing.shared_path import SharedPath


class SharedSocket(redis.UnixDomainSocketConnection):
    """A connection to the process that has the path open, whichever that is."""

    # Who keeps replies asks for these.
    host: Any = None
    port = None

    def __init__(self, *, shared: SharedPath, **options: Any):
        super().__init__(path="", **options)
        self.shared = shared
        # Whether what it was used for has been lost with another connection: the next command
        # learns of it.
        self.lost = False

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send what is packed. Raises ConnectionError as redis-py does."""
        if self.lost:
            self.lost = False
            raise ConnectionError("The connection was the parent's of this process.")
        super().send_packed_command(command, check_health)

    def _connect(self) -> Any:
        try:
            self.path = self.shared.socket_path()
        except DatabaseError as error:
            raise ConnectionError(str(error)) from error
        return super()._connect()


class SharedAsyncSocket(redis.asyncio.UnixDomainSocketConnection):
    """The same for asyncio."""

    def __init__(self, *, shared: SharedPath, **options: Any):
        super().__init__(path="", **options)
        self.shared = shared

    async def _connect(self) -> None:
        try:
            # It may have to open the path, and to load what is there.
            self.path = await asyncio.to_thread(self.shared.socket_path)
        except DatabaseError as error:
            raise ConnectionError(str(error)) from error
        await super()._connect()


def connection_maker(embedded: type, outside: type) -> type:
    """What makes connections of either kind, in the place of a class of connections.

    Args:
        embedded: the class of those that are sessions of an engine.
        outside: the class of those to another process.
    """
    to_elsewhere = outside
    # A loop is not to stand still meanwhile: sockets of asyncio reach the path when they connect.
    may_wait = outside is not SharedAsyncSocket

    class SharedConnection:
        """A connection to a path that is shared; ``outside`` is the class of those elsewhere."""

        outside = to_elsewhere

        def __new__(cls, *, shared: SharedPath, **options: Any) -> Any:
            place: Engine | str | None = shared.engine
            if place is None and may_wait:
                try:
                    place = shared.reach()
                except DatabaseError as error:
                    raise ConnectionError(str(error)) from error
            if place is None or isinstance(place, str):
                return outside(shared=shared, **options)
            return embedded(engine=place, **options)

    return SharedConnection
