"""Payloads of values of all types: out and in again, and damaged."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import payloads
from persistence.values import KEY, Commands, anything, forms, hashes, make, timed
from support.local import LocalClient
from support.wire import Word


def new_client() -> LocalClient:
    config = Config()
    config.load_text("enable-debug-command yes")
    return LocalClient(Engine(config))


def image(client: LocalClient, key: bytes) -> object:
    """All that tells one value from another."""
    db = client.session.db
    value = db.peek(key)
    if isinstance(value, bytes):
        return value
    if value.type_name == b"hash":
        return {field: (text, value.expiry(field)) for field, text in value.items()}
    if value.type_name == b"set":
        return set(value)
    if value.type_name == b"zset":
        return value.items()
    if value.type_name == b"stream":
        whole = (value.last_id, value.first_id, value.max_deleted_id, value.entries_added)
        groups = [
            (group.name, group.last_id, group.entries_read, list(group)) for group in value.groups()
        ]
        return list(value), whole, groups
    return list(value)


def barely_fits(command: tuple[Word, ...]) -> bool:
    """Whether a list is a listpack only as long as the bytes around its elements do not count: they
    do not when elements are added, but when a value is loaded.
    """
    items = [item for item in command[2:] if isinstance(item, bytes)]
    size = sum(map(len, items))
    return command[0] == "RPUSH" and size <= 8192 < size + 11 * len(items)


@settings(max_examples=80, deadline=None)
@given(commands=anything, form=forms, version=st.sampled_from([10, 11, 12]), compress=st.booleans())
def test_values_come_back(commands: Commands, form: int, version: int, compress: bool) -> None:
    client = new_client()
    make(client, commands, form)
    client("CONFIG", "SET", "rdb-version", version)
    client("CONFIG", "SET", "rdbcompression", "yes" if compress else "no")
    payload = client("DUMP", KEY)
    assert payload[-10] == version
    assert client("RESTORE", "copy", 0, payload) == b"OK"
    assert image(client, b"copy") == image(client, KEY)
    if commands[-1][0] not in ("APPEND", "PFADD") and not barely_fits(commands[-1]):
        assert client("OBJECT", "ENCODING", "copy") == client("OBJECT", "ENCODING", KEY)
    assert client("DEBUG", "DIGEST-VALUE", "copy") == client("DEBUG", "DIGEST-VALUE", KEY)


@settings(max_examples=100, deadline=None)
@given(commands=hashes, form=forms, late=st.integers(10**13, 10**13 + 5))
def test_fields_keep_their_times(commands: Commands, form: int, late: int) -> None:
    client = new_client()
    make(client, timed(commands, late), form)
    payload = client("DUMP", KEY)
    assert payload[0] in (24, 25)
    assert payload[-10] == 12
    assert client("RESTORE", "copy", 0, payload) == b"OK"
    assert image(client, b"copy") == image(client, KEY)
    assert client("OBJECT", "ENCODING", "copy") == client("OBJECT", "ENCODING", KEY)
    assert b"copy" in client.session.db.timed_hashes


def test_times_that_are_gone_need_no_later_version() -> None:
    client = new_client()
    client("HSET", KEY, "a", 1, "b", 2)
    client("HPEXPIRE", KEY, 100000, "FIELDS", 1, "a")
    client("HPERSIST", KEY, "FIELDS", 1, "a")
    payload = client("DUMP", KEY)
    assert (payload[0], payload[-10]) == (4, 10)
    client("RESTORE", "copy", 0, payload)
    assert image(client, b"copy") == image(client, KEY)


def sealed(body: bytes) -> bytes:
    """A payload of that body with the right check sum."""
    body += b"\x0c\0"
    return body + crc64.of(body).to_bytes(8, "little")


@settings(max_examples=80, deadline=None)
@given(
    commands=st.one_of(anything, hashes.map(lambda c: timed(c, 10**13))),
    form=forms,
    seed=st.integers(),
)
def test_damage_is_noticed_or_harmless(commands: Commands, form: int, seed: int) -> None:
    """Flipped and cut bytes with a right check sum: refused, or a value that can be used."""
    chance = random.Random(seed)
    client = new_client()
    make(client, commands, form)
    client("CONFIG", "SET", "sanitize-dump-payload", chance.choice(["yes", "no"]))
    client("CONFIG", "SET", "rdb-version", 12)
    whole = client("DUMP", KEY)[:-10]
    for _ in range(12):
        body = bytearray(whole)
        for _ in range(chance.randint(0, 3)):
            other = chance.choice([0, 1, 127, 128, 255, 64, 192, chance.randrange(256)])
            body[chance.randrange(len(body))] = other
        if chance.random() < 0.3:
            del body[chance.randrange(len(body)) :]
        reply = client("RESTORE", "copy", 0, sealed(bytes(body)), "REPLACE")
        if reply == b"OK":
            use(client, chance)
        else:
            assert str(reply) == "ERR Bad data format"


def use(client: LocalClient, chance: random.Random) -> None:
    """Read and change a value of any type in many ways."""
    kind = client("TYPE", "copy")
    client("DEBUG", "DIGEST-VALUE", "copy")
    client("MEMORY", "USAGE", "copy")
    client("COPY", "copy", "other", "REPLACE")
    for words in _USES[bytes(kind)]:
        client(*words)
    client("DUMP", "copy")
    client("DEL", "copy", "other", "third")


_USES: dict[bytes, list[tuple[Word, ...]]] = {
    b"string": [
        ("APPEND", "copy", "x"), ("PFCOUNT", "copy"), ("PFADD", "copy", "a"), ("INCR", "copy"),
    ],
    b"list": [
        ("LRANGE", "copy", 0, -1), ("LRANGE", "copy", -3, 5), ("LREM", "copy", 0, "1"),
        ("LSET", "copy", 0, "x"), ("LINSERT", "copy", "BEFORE", "x", "y"), ("LPOS", "copy", "z"),
        ("RPUSH", "copy", "x"), ("LPOP", "copy", 3), ("RPOP", "copy", 3), ("LTRIM", "copy", 1, -2),
    ],
    b"set": [
        ("SMEMBERS", "copy"), ("SADD", "copy", "x", "1"), ("SRANDMEMBER", "copy", 5),
        ("SREM", "copy", "1"), ("SPOP", "copy", 3), ("SSCAN", "copy", 0),
        ("SUNIONSTORE", "third", "copy", "other"),
    ],
    b"hash": [
        ("HGETALL", "copy"), ("HSET", "copy", "x", "1"), ("HRANDFIELD", "copy", 5),
        ("HDEL", "copy", "1"), ("HSCAN", "copy", 0), ("HSET", "copy", "long", "y" * 100),
        ("HPTTL", "copy", "FIELDS", 1, "x"),
    ],
    b"stream": [
        ("XRANGE", "copy", "-", "+"), ("XREVRANGE", "copy", "+", "-"), ("XLEN", "copy"),
        ("XADD", "copy", "*", "a", "b"), ("XDEL", "copy", "1-1"), ("XTRIM", "copy", "MAXLEN", 3),
        ("XINFO", "STREAM", "copy", "FULL"), ("XGROUP", "CREATE", "copy", "g", 0),
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "copy", ">"), ("XACK", "copy", "g", "2-1"),
        ("XAUTOCLAIM", "copy", "g", "d", 0, 0), ("XPENDING", "copy", "g"),
    ],
    b"zset": [
        ("ZRANGE", "copy", 0, -1, "WITHSCORES"), ("ZADD", "copy", 1, "x"),
        ("ZINCRBY", "copy", 3, "x"), ("ZREVRANGE", "copy", 0, 3),
        ("ZRANGEBYSCORE", "copy", "-inf", "+inf"), ("ZRANGEBYLEX", "copy", "-", "+"),
        ("ZADD", "copy", 1, "y" * 100), ("ZREM", "copy", "1"), ("ZPOPMIN", "copy", 3),
        ("ZSCAN", "copy", 0), ("ZREMRANGEBYRANK", "copy", 1, 2),
    ],
}  # fmt: skip


def test_lengths_that_cannot_be(client: LocalClient) -> None:
    for body in (
        b"\0\x81" + b"\xff" * 7 + b"\xf7",
        b"\x02\x81\0\0\0\0\xff\0\0\0",
        b"\x05\x80\xff\xff\xff\xff",
        b"\0\xc3\x01\x81\x7f\xff\xff\xff\xff\xff\xff\xff\0",
        b"\x0e\x80\x10\0\0\0",
        b"\x07\x81" + b"\x01" * 8,
        b"\x0f\0",
        b"\x1a\0",
        b"",
    ):
        assert client.error("RESTORE", "k", 0, sealed(body)) == "ERR Bad data format"


def test_a_stream_whose_last_id_is_too_low() -> None:
    """What is added to it can be loaded again."""
    client = new_client()
    client("XADD", KEY, "50-1", "field", "value")
    payload = client("DUMP", KEY)
    body = bytearray(payload[:-10])
    place = body.index((50).to_bytes(8, "big"))
    body[place : place + 2] = b"\x10\x00"
    for deleted in (False, True):
        assert client("RESTORE", KEY, 0, sealed(bytes(body)), "REPLACE") == b"OK"
        (entry,) = client("XRANGE", KEY, "-", "+")
        if deleted:
            assert client("XADD", KEY, "*", "field", "value") > entry[0]
            assert client("XDEL", KEY, entry[0]) == 1
        assert "smaller" in client.error("XADD", KEY, "60-1", "field", "value")
        assert client("XADD", KEY, "*", "field", "value") > entry[0]
        again = client("DUMP", KEY)
        assert client("RESTORE", "copy", 0, again, "REPLACE") == b"OK"


def test_empty_collections(client: LocalClient) -> None:
    for type_ in (1, 2, 3, 4, 5, 14, 18):
        assert client.error("RESTORE", "k", 0, sealed(bytes([type_, 0]))) == "ERR Bad data format"


def test_payloads_of_values() -> None:
    limits = Engine().keyspace.limits
    data = payloads.of_value(b"hello", 10, True)
    assert payloads.value_of(data, limits, True) == b"hello"
    with pytest.raises(FormatError):
        payloads.value_of(b"\0\x05hell" + data[-10:], limits, True)
