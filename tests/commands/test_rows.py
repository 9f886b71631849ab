"""Replies that are poured into rows look on the wire as those made of Python values."""

from typing import Any

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import Error, Lazy
from carnelian.resp.rows import Rows
from carnelian.resp.writer import encode
from support.local import LocalClient, Word

TEXTS = [b"", b"a", b"12", b"-7", b"x" * 70, b"y" * 20_000, b"\r\n$3", b"9" * 30]
FILL: list[tuple[Word, ...]] = [
    ("RPUSH", "list", *TEXTS),
    ("RPUSH", "short", "a", "b", "3"),
    ("RPUSH", "plain", *(letter * 9000 for letter in "abc"), "d", *("e" * i for i in range(900))),
    ("HSET", "hash", *(text for i in range(40) for text in (f"field{i}", str(i * 1000)))),
    ("HSET", "big", *(text for i in range(40) for text in (f"field{i}", "v" * 40 * i))),
    ("HSET", "numbers", "1", "2", "3", "x" * 600),
    ("HSET", "times", "a", "1", "b", "2", "c", "3"),
    ("HPEXPIRE", "times", "100000", "FIELDS", "1", "b"),
    ("SADD", "ints", *range(-30, 30)),
    ("SADD", "words", "a", "b", "5", "-20"),
    ("SADD", "table", *(f"member{i}" for i in range(600)), "5", "a"),
    ("ZADD", "few", "1", "a", "-1.5", "b", "inf", "c", "1e300", "d", "0.1", "7"),
    ("ZADD", "many", *(word for i in range(600) for word in (str(i / 8), f"member{i}"))),
]
LINES = [
    "LRANGE list 0 -1",
    "LRANGE list 2 4",
    "LRANGE short 1 1",
    "LRANGE short 5 9",
    "LRANGE plain 1 -1",
    "LRANGE plain 300 700",
    "HGETALL hash",
    "HGETALL big",
    "HGETALL times",
    "HKEYS hash",
    "HVALS hash",
    "HVALS times",
    "HKEYS numbers",
    "SMEMBERS ints",
    "SMEMBERS words",
    "SMEMBERS table",
    "SINTER ints words",
    "SINTER table words ints",
    "SINTER ints ints",
    "SINTER table nothing",
    "ZRANGE few 0 -1",
    "ZRANGE few 0 -1 WITHSCORES",
    "ZREVRANGE few 1 2 WITHSCORES",
    "ZRANGE many 20 90 WITHSCORES",
    "ZRANGE many 90 20",
    "ZREVRANGEBYSCORE many 50 10 LIMIT 3 7",
    "ZRANGEBYSCORE few (0 +inf WITHSCORES",
    "ZRANGE nothing 0 -1",
]


@pytest.fixture
def client() -> LocalClient:
    client = LocalClient(Engine())
    for words in FILL:
        assert not isinstance(client(*words), Error)
    return client


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("protocol", [2, 3])
def test_bytes_are_the_same(client: LocalClient, line: str, protocol: int):
    client.session.protocol = protocol
    values = client(*line.split())
    client.session.takes_rows = True
    rows = client(*line.split())
    assert not isinstance(values, Rows)
    assert encode(rows, protocol) == encode(values, protocol)


def test_rows_are_used(client: LocalClient):
    client.session.takes_rows = True
    reply = client("HGETALL", "hash")
    assert isinstance(reply, Rows)
    assert len(reply) == 80


def test_rows_hold_copies(client: LocalClient):
    client.session.takes_rows = True
    rows = client("LRANGE", "short", 0, -1)
    client("DEL", "short")
    assert encode(rows) == b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\n3\r\n"


def test_transactions_have_values(client: LocalClient):
    client.session.takes_rows = True
    client("MULTI")
    client("SMEMBERS", "words")
    client("LRANGE", "short", 0, -1)
    assert client("EXEC") == [[b"a", b"b", b"5", b"-20"], [b"a", b"b", b"3"]]


def test_large_replies_are_made_part_by_part(client: LocalClient):
    client("RPUSH", "long", *range(5000))
    whole = client("LRANGE", "long", 0, -1)
    assert isinstance(whole, list)
    client.session.takes_rows = True
    lazy = client("LRANGE", "long", 0, -1)
    assert isinstance(lazy, Lazy)
    assert encode(lazy) == encode(whole)


LARGE = [
    "LRANGE list 10 4990",
    "SMEMBERS set",
    "HGETALL hash",
    "HKEYS hash",
    "ZRANGE zset 5 4800",
    "ZRANGE zset 5 4800 REV WITHSCORES",
    "KEYS *",
    "KEYS key:1*",
]


@pytest.mark.parametrize("line", LARGE)
@pytest.mark.parametrize("protocol", [2, 3])
def test_parts_are_the_same_members(client: LocalClient, line: str, protocol: int):
    client("RPUSH", "list", *range(5000))
    client("SADD", "set", *range(5000))
    client("HSET", "hash", *range(10_000))
    client("ZADD", "zset", *range(10_000))
    client("MSET", *(word for i in range(5000) for word in (f"key:{i}", "")))
    client.session.protocol = protocol
    whole = client(*line.split())
    client.session.takes_rows = True
    lazy = client(*line.split())
    assert isinstance(lazy, Lazy)
    assert lazy.count in (None, len(whole))
    members: list[Any] = [member for part in lazy.parts for member in part]
    if line.split()[0] in ("LRANGE", "ZRANGE"):
        assert members == whole
    else:
        assert sorted(members) == sorted(whole)
    assert lazy.kind is type(whole)


@pytest.mark.parametrize(
    ("line", "several"),
    [
        ("SRANDMEMBER set -3000", {2: 3000, 3: 3000}),
        ("HRANDFIELD hash -3000", {2: 3000, 3: 3000}),
        ("HRANDFIELD hash -3000 WITHVALUES", {2: 6000, 3: 3000}),
        ("ZRANDMEMBER zset -3000", {2: 3000, 3: 3000}),
        ("ZRANDMEMBER zset -3000 WITHSCORES", {2: 6000, 3: 3000}),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_parts_are_as_many_draws(
    client: LocalClient, line: str, several: dict[int, int], protocol: int
):
    client("SADD", "set", *range(50))
    client("HSET", "hash", *range(50))
    client("ZADD", "zset", *range(50))
    client.session.protocol = protocol
    assert len(client(*line.split())) == several[protocol]
    client.session.takes_rows = True
    lazy = client(*line.split())
    assert isinstance(lazy, Lazy)
    assert lazy.count in (None, several[protocol])
    assert sum(map(len, lazy.parts)) == several[protocol]
