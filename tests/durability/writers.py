"""Clients that write, and keep account of what was acknowledged when."""

from __future__ import annotations

import random
import threading
import time
from bisect import bisect_right

from server.peers import Client, ServerProcess
from support.wire import request

from .work import Data, Work

_LOADING = b"-LOADING"
_ABORTED = b"-EXECABORT"


class Writer(threading.Thread):
    """Writes units until the server is gone.

    ``sent`` is the number of units that may have reached the server, ``acknowledged`` how many of
    them were answered, ``failure`` an answer that should not have been.

    Args:
        database: the number of the database to write to.
        most: how many units may be sent at once; 1 where they may be refused.
        rest: seconds between two times that something is sent.
    """

    def __init__(
        self,
        server: ServerProcess,
        prefix: str,
        database: int,
        *,
        most: int,
        rest: float,
        seed: int,
    ):
        super().__init__(daemon=True)
        self.work = Work(prefix)
        self.database = database
        self.sent = 0
        self.failure: bytes | None = None
        self._times: list[float] = []
        self._most = most
        self._rest = rest
        self._random = random.Random(seed)
        self._client = server.connect()
        self._client.call("SELECT", database)

    @property
    def acknowledged(self) -> int:
        """How many units were answered."""
        return len(self._times)

    def acknowledged_until(self, moment: float) -> int:
        """How many units were answered by then, in seconds of the monotonic clock."""
        return bisect_right(self._times, moment)

    def time_of(self, number: int) -> float:
        """When a unit was answered."""
        return self._times[number]

    def run(self) -> None:
        try:
            while self.failure is None:
                self._write(self._random.randint(1, self._most))
                if self._rest:
                    time.sleep(self._rest)
        except (OSError, ValueError):
            pass

    def _write(self, units: int) -> None:
        first = self.acknowledged
        numbers = range(first, first + units)
        self.sent = first + units
        self._client.send(
            b"".join(request(*words) for number in numbers for words in self.work.unit(number))
        )
        for number in numbers:
            replies = [self._reply() for _ in self.work.unit(number)]
            if any(reply.startswith((_LOADING, _ABORTED)) for reply in replies):
                # It waits for its turn, and nothing was done.
                assert self._most == 1
                time.sleep(0.005)
                return
            errors = [reply for reply in replies if reply.startswith(b"-")]
            if errors:
                self.failure = errors[0]
                return
            self._times.append(time.monotonic())

    def _reply(self) -> bytes:
        reply = self._client.reply()
        if reply == b"":
            raise OSError("the server is gone")
        return reply if isinstance(reply, bytes) else b""


def read(client: Client, database: int, prefix: str) -> Data:
    """All data of the keys that begin with a prefix."""
    client.call("SELECT", database)
    keys = sorted(key.decode() for key in client.call("KEYS", f"{prefix}:*"))
    return {key: _value(client, key) for key in keys}


def _value(client: Client, key: str) -> object:
    match client.call("TYPE", key):
        case b"+string":
            return client.call("GET", key).decode()
        case b"+list":
            return _texts(client.call("LRANGE", key, 0, -1))
        case b"+set":
            return _texts(client.call("SMEMBERS", key))
        case b"+hash":
            return _pairs(client.call("HGETALL", key))
        case b"+zset":
            return _pairs(client.call("ZRANGE", key, 0, -1, "WITHSCORES"))
        case _:
            return [entry[1][1].decode() for entry in client.call("XRANGE", key, "-", "+")]


def _texts(items: list[bytes]) -> list[str]:
    return [item.decode() for item in items]


def _pairs(items: list[bytes]) -> dict[str, str]:
    texts = _texts(items)
    return dict(zip(texts[::2], texts[1::2], strict=True))
