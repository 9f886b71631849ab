"""Two million keys of all kinds, or another number: as a log of commands and as a snapshot.

Both are made once and kept: the log by this module, the snapshot by the server that is named
``PEER``, which runs the log. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from harness.client import batched, encode
from harness.servers import Server

_VERSION = 2
_SEED = 2026
# Of 2100, far from any test's end.
_EXPIRY_MS = 4_102_444_800_000
_AT_ONCE = 500
_LOG = "appendonly.aof.1.incr.aof"
_MANIFEST = b"file appendonly.aof.1.incr.aof seq 1 type i\n"
# The share of keys that are strings, and of hashes, both named so that redis-benchmark finds them.
_STRINGS = 0.6
_HASHES = 0.12


class Dataset:
    """The files of a data set of ``keys`` keys, in a folder; made when they are not there."""

    def __init__(self, keys: int, folder: Path | None, peer: list[str]):
        self.keys = keys
        self.strings, self.hashes = int(keys * _STRINGS), int(keys * _HASHES)
        folder = folder or Path(tempfile.gettempdir()) / "carnelian-benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        self._snapshot = folder / f"{keys}-{_VERSION}.rdb"
        self._log = folder / f"{keys}-{_VERSION}.aof"
        self._manifest = folder / "manifest"
        self._peer = peer

    def snapshot(self) -> dict[str, Path]:
        """The files of a server that begins with the snapshot."""
        if not self._snapshot.exists():
            self._save()
        return {"dump.rdb": self._snapshot}

    def log(self) -> dict[str, Path]:
        """The files of a server that begins with the log."""
        if not self._log.exists():
            print(f"making a log of some {self.keys} commands", flush=True)
            _write(self._log, batched(commands(self.keys), _AT_ONCE))
        self._manifest.write_bytes(_MANIFEST)
        return {
            f"appendonlydir/{_LOG}": self._log,
            "appendonlydir/appendonly.aof.manifest": self._manifest,
        }

    def _save(self) -> None:
        files = self.log()
        print("making a snapshot of it", flush=True)
        with Server("peer", self._peer, "--appendonly", "yes", files=files) as server:
            with server.client() as client:
                client.socket.settimeout(300)
                client("SAVE")
            shutil.move(server.folder / "dump.rdb", self._snapshot)


def _write(path: Path, parts: Iterator[list[bytes]]) -> None:
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        for part in parts:
            file.write(b"".join(part))
    unfinished.rename(path)


def commands(keys: int) -> Iterator[bytes]:
    """Requests that make so many keys, about one for each, in an order of no meaning."""
    source = random.Random(_SEED)
    strings, hashes = int(keys * _STRINGS), int(keys * _HASHES)
    numbers = list(range(keys))
    source.shuffle(numbers)
    others = source.choices(
        [_list, _set, _integers, _sorted_set, _stream], [30, 21, 21, 24, 4], k=keys
    )
    for number in numbers:
        if number < strings:
            yield _string(source, number)
        elif number < strings + hashes:
            yield from _hash(source, number - strings)
        else:
            yield from others[number](source, number)
    yield from _large(max(keys // 40, 100))


def _string(source: random.Random, number: int) -> bytes:
    key = b"key:%012d" % number
    kind = source.random()
    if kind < 0.2:
        value = b"%d" % source.randrange(1 << source.choice((6, 14, 30, 60)))
    elif kind < 0.6:
        value = source.randbytes(source.randrange(2, 32)).hex().encode()
    elif kind < 0.9:
        value = _words(source, source.randrange(10, 60))
    elif kind < 0.99:
        value = source.randbytes(source.randrange(16, 200))
    else:
        value = _words(source, source.randrange(200, 900))
    if source.random() < 0.2:
        return encode("SET", key, value, "PXAT", _EXPIRY_MS + number)
    return encode("SET", key, value)


_WORDS = [b"alpha", b"bravo", b"delta", b"garnet", b"onyx", b"carnelian", b"42", b"agate"]


def _words(source: random.Random, count: int) -> bytes:
    """Text that can be compressed."""
    return b" ".join(source.choices(_WORDS, k=max(count // 2, 1)))


Make = Callable[[random.Random, int], Iterator[bytes]]


def _hash(source: random.Random, number: int) -> Iterator[bytes]:
    key = b"user:%012d" % number
    yield encode("HSET", key, "name", b"name-%d" % number, "age", number % 90, "mail",
                 b"%d@example.org" % number, "visits", source.randrange(10_000))  # fmt: skip
    if number % 10 == 0:
        yield encode("PEXPIREAT", key, _EXPIRY_MS + number)


def _list(source: random.Random, number: int) -> Iterator[bytes]:
    items = [b"item:%d" % source.randrange(1_000_000) for _ in range(source.randrange(1, 12))]
    yield encode("RPUSH", b"queue:%d" % number, *items)


def _set(source: random.Random, number: int) -> Iterator[bytes]:
    members = [b"tag:%d" % source.randrange(1_000_000) for _ in range(source.randrange(1, 9))]
    yield encode("SADD", b"tags:%d" % number, *members)


def _integers(source: random.Random, number: int) -> Iterator[bytes]:
    members = [source.randrange(1_000_000) for _ in range(source.randrange(1, 16))]
    yield encode("SADD", b"ids:%d" % number, *members)


def _sorted_set(source: random.Random, number: int) -> Iterator[bytes]:
    pairs: list[bytes | int] = []
    for _ in range(6):
        pairs += (source.randrange(1_000), b"player:%d" % source.randrange(1_000_000))
    yield encode("ZADD", b"board:%d" % number, *pairs)


def _stream(source: random.Random, number: int) -> Iterator[bytes]:
    for entry in range(1, 4):
        yield encode("XADD", b"events:%d" % number, b"1700000000000-%d" % entry, "kind", "visit",
                     "page", source.randrange(1_000))  # fmt: skip


def _large(size: int) -> Iterator[bytes]:
    """A large collection of each type."""
    makers: dict[tuple[str, bytes], Callable[[int], tuple[bytes | int, ...]]] = {
        ("HSET", b"large:hash"): lambda i: (b"field:%d" % i, b"value of %d" % (i * 7919)),
        ("RPUSH", b"large:list"): lambda i: (b"element:%d" % i,),
        ("SADD", b"large:set"): lambda i: (b"member:%d" % i,),
        ("ZADD", b"large:zset"): lambda i: (i * 7919 % 1_000_003, b"member:%d" % i),
    }
    for (name, key), words in makers.items():
        for start in range(0, size, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, size))
            yield encode(name, key, *chain.from_iterable(map(words, numbers)))
    for i in range(size):
        yield encode("XADD", b"large:stream", b"%d-1" % (1_700_000_000_000 + i), "sensor",
                     i % 100, "temperature", b"%d.%d" % (20 + i % 7, i % 10))  # fmt: skip
