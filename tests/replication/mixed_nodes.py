"""Servers of both kinds that replicate with each other, data of all types, and writers."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis
from redis.connection import Connection

from differential.chance import Chance
from differential.families import FAMILIES
from sentinel.processes import Process

OURS, THEIRS = "carnelian", "redis"
COMMANDS = {OURS: [sys.executable, "-m", "carnelian"], THEIRS: ["redis-server"]}
# Commands of all types, without those that wait for something.
NAMES = sorted(
    {
        name
        for family in FAMILIES.values()
        for name in family.names
        if name.startswith("BIT") or not name.startswith(("B", "XREAD", "MULTI", "EXEC"))
    }
)
# What would leave nothing of the data.
_EMPTYING = ("FLUSHALL", "FLUSHDB")
_SCRIPT = "for i = 1, ARGV[1] do redis.call('rpush', KEYS[1], i) end redis.call('incr', KEYS[2])"
_AT_ONCE = 500


class Node(Process):
    """A server of one kind; it keeps no files but those of copies."""

    def __init__(self, directory: Path, kind: str, **directives: object):
        self.kind = kind
        lines = ['save ""', "enable-debug-command yes", "repl-diskless-sync-delay 0"]
        lines += [f"{name.replace('_', '-')} {value}" for name, value in directives.items()]
        super().__init__(directory, COMMANDS[kind], lines)

    def follow(self, port: int) -> None:
        """Follow the node at a port of this machine."""
        self("REPLICAOF", "127.0.0.1", port)

    @property
    def connected(self) -> bool:
        """Whether the link to its primary stands."""
        role = self("ROLE")
        return role[0] == b"slave" and role[3] == b"connected"

    def counted(self, field: str) -> int:
        """A number of INFO."""
        return int(self.fields()[field])

    def count_keys(self) -> int:
        """The keys of all databases."""
        values = (text for name, text in self.fields().items() if name.startswith("db"))
        return sum(int(text.split(",")[0].removeprefix("keys=")) for text in values)

    def fields(self) -> dict[str, str]:
        """The fields of INFO."""
        text: str = self("INFO").decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def connect(self) -> Connection:
        """A new connection."""
        connection = Connection(port=self.port, protocol=2, socket_timeout=300)
        connection.connect()
        return connection


def wait_until(what: str, condition: Callable[[], object], seconds: float = 300.0) -> None:
    """Return when something is so; AssertionError if it is not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it does not happen: {what}"
        time.sleep(0.02)


def assert_equal(nodes: list[Node], seconds: float = 300.0) -> None:
    """See that all nodes come equally far with the first one's data, and have the same."""

    def in_step() -> bool:
        offset = nodes[0]("ROLE")[1] if nodes[0]("ROLE")[0] == b"master" else -1
        return all(one.connected and one("ROLE")[4] == offset for one in nodes[1:])

    def digests() -> list[Any]:
        return [bytes(one("DEBUG", "DIGEST")) for one in nodes]

    wait_until("in step", in_step, seconds)
    found: list[Any] = []
    # A key may expire between two looks, and is told of then.
    for _ in range(20):
        found = digests()
        if len(set(found)) == 1:
            return
        time.sleep(0.1)
        wait_until("in step again", in_step, seconds)
    raise AssertionError("they differ:\n" + "\n".join(_differences(nodes)))


_READERS: dict[bytes, tuple[object, ...]] = {
    b"string": ("GET",),
    b"list": ("LRANGE", 0, -1),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
    b"stream": ("XRANGE", "-", "+"),
}
_SHOWN = 300


def _differences(nodes: list[Node]) -> Iterator[str]:
    """What differs between the first node and the others, key by key."""
    first = nodes[0]
    for db in range(16):
        for node in nodes:
            node("SELECT", db)
        keys = {key for node in nodes for key in node("KEYS", "*")}
        for key in sorted(keys):
            digests = [node("DEBUG", "DIGEST-VALUE", key) for node in nodes]
            if all(digest == digests[0] for digest in digests):
                continue
            name, *words = _READERS.get(first("TYPE", key), ("TYPE",))
            for node in nodes:
                value = repr(node(name, key, *words))[:_SHOWN]
                kind, expiry = node("TYPE", key), node("PEXPIRETIME", key)
                yield f"  db {db}, {key!r} at {node.kind}: {kind!r}, {expiry}, {value}"


# -- Data ----------------------------------------------------------------------------------------


def fill(node: Node, keys: int, seed: int) -> None:
    """Make so many keys of all types, and large ones of each."""
    connection = node.connect()
    try:
        batch: list[tuple[Any, ...]] = []
        for request in _requests(keys, random.Random(seed)):
            batch.append(request)
            if len(batch) == _AT_ONCE:
                _send(connection, batch)
                batch = []
        _send(connection, batch)
    finally:
        connection.disconnect()


def _send(connection: Connection, batch: list[tuple[Any, ...]]) -> None:
    connection.send_packed_command(connection.pack_commands(batch))
    for _ in batch:
        connection.read_response()


def _requests(keys: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(keys):
        kind = number % 8
        key = f"data:{number}"
        if kind == 0:
            yield "SET", key, chance.randrange(1 << 40)
        elif kind == 1:
            yield "SET", key, chance.randbytes(chance.randrange(200)), "EX", 100_000 + number
        elif kind == 2:
            yield "HSET", key, "name", f"n{number}", "age", number % 90, "mail", "a@example.org"
        elif kind == 3:
            yield "RPUSH", key, *[chance.randrange(1_000_000) for _ in range(number % 13 + 1)]
        elif kind == 4:
            yield "SADD", key, *[chance.randrange(1_000_000) for _ in range(number % 11 + 1)]
        elif kind == 5:
            yield "SADD", key, *[f"member {i * number}" for i in range(number % 7 + 1)]
        elif kind == 6:
            pairs = ((chance.random(), f"player {i}") for i in range(number % 9 + 1))
            yield "ZADD", key, *[word for pair in pairs for word in pair]
        else:
            yield "XADD", key, f"{number + 1}-1", "kind", "visit", "page", number
    for number in range(max(keys // 50, 300)):
        yield "HSET", "large hash", f"f{number}", number
        yield "ZADD", "large zset", number, f"m{number}"
        yield "SADD", "large set", f"m{number}"
        yield "RPUSH", "large list", number
        yield "XADD", "large stream", f"{number + 1}-1", "f", number
    yield "SET", "long", "x" * 300_000
    yield "XGROUP", "CREATE", "large stream", "g", 0
    yield "XREADGROUP", "GROUP", "g", "c", "COUNT", 9, "STREAMS", "large stream", ">"
    yield "SETBIT", "bits", 100_000, 1
    yield "PFADD", "visitors", *range(100)
    code = "#!lua name=l\nredis.register_function('f', function() return 1 end)"
    yield "FUNCTION", "LOAD", "REPLACE", code


# -- Load ----------------------------------------------------------------------------------------


class Load:
    """A thread that writes to a node until the end of a ``with`` block: random commands of all
    types, transactions and scripts.

    Args:
        pause: seconds between two pipelines.
    """

    def __init__(self, node: Node, seed: int, pause: float = 0.004):
        self.commands = 0
        self._node = node
        self._pause = pause
        self._random = random.Random(seed)
        self._chance = Chance(seed, [name for name in NAMES if name not in _EMPTYING])
        self._over = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def goes_on(self) -> bool:
        """True; raises what has ended it, if something has."""
        if self._fault is not None:
            raise self._fault
        return True

    def _run(self) -> None:
        connection = self._node.connect()
        try:
            while not self._over.wait(self._pause):
                batch = list(self._batch())
                connection.send_packed_command(connection.pack_commands(batch))
                for _ in batch:
                    self._read(connection)
                self.commands += len(batch)
        except BaseException as fault:
            self._fault = fault
        finally:
            connection.disconnect()

    @staticmethod
    def _read(connection: Connection) -> None:
        try:
            connection.read_response()
        except redis.ResponseError:
            pass  # some are meant to fail

    def _batch(self) -> Iterator[tuple[Any, ...]]:
        chance = self._random
        number = self.commands
        for _ in range(20):
            yield self._chance.command()
        yield ("MULTI",)
        for _ in range(chance.randrange(1, 6)):
            yield self._chance.command()
        yield ("EXEC",)
        yield "EVAL", _SCRIPT, 2, f"scripted {number % 50}", "counter", chance.randrange(1, 5)
        yield "SELECT", chance.randrange(3)
        yield "SET", f"load {number % 5000}", "x" * chance.randrange(500)
        yield "SET", f"short {number % 5000}", number, "PX", chance.randrange(1, 400)
        yield "HSET", "busy hash", f"f{chance.randrange(1000)}", number
        yield "DEL", f"data:{chance.randrange(1000)}"
