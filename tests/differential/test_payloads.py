"""DUMP and RESTORE, and whole files, against redis-server."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.persistence.rdb import file_reader, files
from differential.generate import Words, commands
from differential.pair import Pair
from persistence.values import (
    KEY,
    Commands,
    anything,
    counters,
    forms,
    lists,
    make,
    strings,
)
from support.local import LocalClient
from support.servers import ReferenceServer, StartRedis
from support.wire import as_bytes

SEQUENCES = st.lists(commands(["DUMP", "RESTORE", "SET", "DEL", "EXPIRE"]), max_size=30)


@settings(max_examples=100, deadline=None)
@given(sequence=SEQUENCES, protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    pair.run(sequence)


DIRECTIVES = (
    "hash-max-listpack-entries", "set-max-intset-entries", "zset-max-listpack-entries",
    "list-max-listpack-size", "list-compress-depth",
)  # fmt: skip


def fill_both(pair: Pair, values: Commands, form: int) -> None:
    pair.start(2)
    make(pair.ours, values, form)
    for name in DIRECTIVES:
        text = pair.ours.call("CONFIG", "GET", name).items[1].text
        pair.reference.call("CONFIG", "SET", name, text)
    for words in values:
        pair.reference.call(*words)


# Where both keep the same bytes in the same order.
same_bytes = st.one_of(strings, counters, lists)


@settings(max_examples=60, deadline=None)
@given(values=same_bytes)
def test_payloads_are_the_same_bytes(pair: Pair, values: Commands) -> None:
    fill_both(pair, values, 128)
    theirs = pair.reference.call("DUMP", KEY)
    if b"z" * 9000 not in values[0]:
        # Such an element stands in a node of its own kind since 7.2.
        assert pair.ours.call("DUMP", KEY) == theirs


@settings(max_examples=80, deadline=None)
@given(values=anything, form=forms)
def test_payloads_are_understood(pair: Pair, values: Commands, form: int) -> None:
    fill_both(pair, values, form)
    theirs, ours = pair.reference.call("DUMP", KEY).value, pair.ours.call("DUMP", KEY).value
    assert pair.reference.call("RESTORE", "copy", 0, ours).value == b"OK"
    assert pair.ours.call("RESTORE", "copy", 0, theirs).value == b"OK"
    digests = {pair.check("DEBUG", "DIGEST-VALUE", key).items[0].text for key in (KEY, "copy")}
    assert len(digests) == 1


# -- Files -----------------------------------------------------------------------------------------


def texts(chance: random.Random) -> bytes:
    kind = chance.randrange(8)
    if kind == 0:
        return b"%d" % chance.randint(-(1 << 40), 1 << 40)
    if kind == 1:
        return chance.randbytes(chance.randint(0, 200))
    if kind == 2:
        return chance.randbytes(2) * chance.randint(1, 2000)
    return b"text:%d" % chance.randrange(10000)


def some_words(chance: random.Random, key: bytes) -> list[bytes]:
    """A command that makes a key of any type and size."""
    many = chance.choice([1, 5, 30, 200])
    kind = chance.randrange(8)
    if kind == 0:
        return [b"RPUSH", key, *[texts(chance) for _ in range(many)]]
    if kind == 1:
        return [b"SADD", key, *[b"%d" % chance.randint(-99999, 99999) for _ in range(many)]]
    if kind == 2:
        return [b"SADD", key, *[texts(chance) for _ in range(many)]]
    if kind == 3:
        return [b"HSET", key, *[texts(chance) for _ in range(2 * many)]]
    if kind == 4:
        pairs = [(b"%r" % chance.uniform(-1e6, 1e6), texts(chance)) for _ in range(many)]
        return [b"ZADD", key, *[word for pair in pairs for word in pair]]
    if kind == 5:
        return [b"PFADD", key, *[texts(chance) for _ in range(many)]]
    return [b"SET", key, texts(chance)]


@pytest.fixture(scope="module")
def full(start_redis: StartRedis) -> ReferenceServer:
    """A redis-server with some thousand keys of all types, odd bytes and expiries."""
    server = start_redis("--save", "", "--enable-debug-command", "yes")
    server.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    chance = random.Random(4)
    for number in range(3000):
        if number % 500 == 0:
            server.call("SELECT", number // 500)
        key = b"%d:" % number + chance.randbytes(chance.choice([0, 3, 300]))
        server.call(*some_words(chance, key))
        if chance.random() < 0.2:
            server.call("PEXPIRE", key, 10**9)
    server.call("SELECT", 0)
    server.call("CONFIG", "SET", "list-compress-depth", 1)
    server.call("RPUSH", "compressed", *[b"element %d" % number for number in range(9000)])
    return server


def engine_of(file: Path, *directives: str) -> Engine:
    config = Config()
    config.load_text("\n".join(["enable-debug-command yes", *directives]))
    engine = Engine(config)
    file_reader.read_bytes(file.read_bytes(), engine.keyspace).read()
    return engine


@pytest.mark.parametrize("compress", ["yes", "no"])
@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "allkeys-lfu"])
def test_we_load_their_file(full: ReferenceServer, compress: str, policy: str) -> None:
    full.call("CONFIG", "SET", "rdbcompression", compress)
    full.call("CONFIG", "SET", "maxmemory-policy", policy)
    assert full.call("SAVE") == b"OK"
    client = LocalClient(engine_of(full.directory / "dump.rdb"))
    assert client("DEBUG", "DIGEST") == full.call("DEBUG", "DIGEST")
    assert client("DBSIZE") == full.call("DBSIZE")


@pytest.mark.parametrize("compress", ["yes", "no"])
@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru", "allkeys-lfu"])
def test_they_load_our_file(full: ReferenceServer, compress: str, policy: str) -> None:
    assert full.call("SAVE") == b"OK"
    engine = engine_of(
        full.directory / "dump.rdb", f"rdbcompression {compress}", f"maxmemory-policy {policy}"
    )
    engine.config["dir"] = str(full.directory)
    digest = full.call("DEBUG", "DIGEST")
    (full.directory / "dump.rdb").unlink()
    assert files.write(engine, "dump.rdb", [(b"redis-ver", b"7.0.15")], [])
    assert full.call("DEBUG", "RELOAD", "NOSAVE") == b"OK"
    assert full.call("DEBUG", "DIGEST") == digest
    assert LocalClient(engine)("DEBUG", "DIGEST") == digest


def test_words_are_bytes() -> None:
    assert all(isinstance(as_bytes(word), bytes) for word in some_words(random.Random(1), b"k"))
