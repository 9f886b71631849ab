"""The commands of sorted sets: replies in both protocols, events, what is propagated, waiting."""

from __future__ import annotations

import math

import pytest

from carnelian.datatypes.base.digest import Digest
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder


@pytest.fixture
def filled(client: LocalClient) -> LocalClient:
    client("ZADD", "z", 1, "a", 2, "b", "2.5", "c")
    return client


@pytest.fixture
def newer(engine: Engine) -> LocalClient:
    return LocalClient(engine, protocol=3)


def test_scores_are_doubles(filled: LocalClient, newer: LocalClient) -> None:
    assert filled("ZSCORE", "z", "c") == 2.5
    assert filled.call("ZSCORE", "z", "a").kind == b"$"
    assert newer.call("ZSCORE", "z", "a").kind == b","
    assert filled("ZINCRBY", "z", "0.1", "a") == 1.1
    assert filled("ZADD", "z", "INCR", "inf", "a") == math.inf
    assert filled("ZMSCORE", "z", "a", "x", "b") == [math.inf, None, 2.0]


def test_pairs_are_nested_in_resp3_only(filled: LocalClient, newer: LocalClient) -> None:
    flat = [b"a", 1.0, b"b", 2.0, b"c", 2.5]
    nested = [[b"a", 1.0], [b"b", 2.0], [b"c", 2.5]]
    for words in (
        ("ZRANGE", "z", 0, -1, "WITHSCORES"),
        ("ZRANGEBYSCORE", "z", "-inf", "inf", "WITHSCORES"),
        ("ZUNION", 1, "z", "WITHSCORES"),
        ("ZINTER", 1, "z", "WITHSCORES"),
        ("ZDIFF", 1, "z", "WITHSCORES"),
    ):
        assert filled(*words) == flat
        assert newer(*words) == nested
    assert newer("ZRANDMEMBER", "z", 9, "WITHSCORES") == nested[::-1]
    assert newer("ZPOPMIN", "z") == [b"a", 1.0]
    assert newer("ZPOPMIN", "z", 1) == [[b"b", 2.0]]
    assert filled("ZMPOP", 1, "z", "MAX") == [b"z", [[b"c", 2.5]]]


def test_ranks_with_scores(filled: LocalClient, newer: LocalClient) -> None:
    assert filled("ZRANK", "z", "c") == 2
    assert filled("ZREVRANK", "z", "c", "WITHSCORE") == [0, 2.5]
    assert filled.call("ZRANK", "z", "x").kind == b"$"
    assert filled.call("ZRANK", "z", "x", "withscore").kind == b"*"
    assert newer.call("ZRANK", "none", "x", "WITHSCORE").kind == b"_"
    assert filled.error("ZRANK", "z", "c", "SCORE") == "ERR syntax error"
    wrong = "ERR wrong number of arguments for 'zrank' command"
    assert filled.error("ZRANK", "z", "c", "WITHSCORE", "x") == wrong


def test_random_members(client: LocalClient) -> None:
    for size in (20, 500):
        client("DEL", "z")
        client("ZADD", "z", *(word for n in range(size) for word in (n, f"m{n}")))
        for count in (1, 5, size // 2, size - 1, size, size + 5):
            drawn = client("ZRANDMEMBER", "z", count)
            assert len(drawn) == len(set(drawn)) == min(count, size)
        drawn = client("ZRANDMEMBER", "z", -3 * size, "WITHSCORES")
        assert len(drawn) == 6 * size
        assert all(
            member == b"m%d" % score for member, score in zip(drawn[::2], drawn[1::2], strict=True)
        )
        assert set(drawn[::2]) <= {b"m%d" % n for n in range(size)}
    assert client("ZRANDMEMBER", "none") is None
    assert client("ZRANDMEMBER", "none", 3) == []


def test_scanning_a_big_set_finds_all(client: LocalClient) -> None:
    client("ZADD", "z", *(word for n in range(1000) for word in (f"{n / 10}", f"m{n}")))
    found: dict[bytes, bytes] = {}
    cursor = b"0"
    while True:
        cursor, part = client("ZSCAN", "z", cursor, "COUNT", 50)
        found |= zip(part[::2], part[1::2], strict=True)
        assert len(part) < 400
        if cursor == b"0":
            break
    assert len(found) == 1000
    # Redis, too, writes these with 17 digits.
    assert found[b"m1"] == b"0.10000000000000001"
    assert found[b"m20"] == b"2"
    assert client("ZSCAN", "z", 0, "MATCH", "m25", "COUNT", 5000)[1] == [b"m25", b"2.5"]


def test_what_is_propagated(engine: Engine, filled: LocalClient) -> None:
    recorder = Recorder(engine)
    filled("ZMPOP", 2, "none", "z", "MAX", "COUNT", 5)
    assert recorder.take() == [b"ZPOPMAX z 3"]
    filled("ZADD", "z", 1, "a", 2, "b", 3, "c")
    assert recorder.take() == [b"ZADD z 1 a 2 b 3 c"]
    filled("BZPOPMIN", "none", "z", 0)
    filled("BZMPOP", 0, 1, "z", "MAX", "COUNT", 1)
    assert recorder.take() == [b"ZPOPMIN z", b"ZPOPMAX z 1"]
    filled("ZRANGESTORE", "z", "z", 5, 9)
    assert recorder.take() == [b"ZRANGESTORE z z 5 9"]
    filled("ZADD", "z", "XX", 1, "a")
    filled("ZREM", "z", "a")
    filled("ZUNIONSTORE", "z", 1, "z")
    assert recorder.take() == []
    filled("GEOADD", "g", "13.361389", "38.115556", "Palermo")
    assert recorder.take() == [b"zadd g 3479099956230698 Palermo"]


def test_waiting_sessions_are_served_in_order(engine: Engine, client: LocalClient) -> None:
    recorder = Recorder(engine)
    first, second, third = (LocalClient(engine) for _ in range(3))
    first("BZPOPMIN", "z", "y", 0)
    second("BZMPOP", 0, 2, "x", "z", "MAX", "COUNT", 2)
    third("BZPOPMAX", "z", 0)
    client("ZADD", "z", 1, "a", 2, "b", 3, "c")
    assert [part.value for part in first.messages()[0].value] == [b"z", b"a", b"1"]
    assert len(second.messages()) == 1
    assert third.messages() == []
    assert recorder.take() == [b"ZADD z 1 a 2 b 3 c", b"ZPOPMIN z", b"ZPOPMAX z 2"]
    client("ZADD", "z", 7, "d")
    assert len(third.messages()) == 1
    assert client("EXISTS", "z") == 0


def test_waiting_ends(engine: Engine, client: LocalClient, clock: ManualClock) -> None:
    waiting = LocalClient(engine)
    waiting("BZPOPMIN", "z", "0.25")
    clock.advance(249)
    engine.on_deadline()
    assert waiting.messages() == []
    clock.advance(1)
    engine.on_deadline()
    assert waiting.messages()[0].value is None
    client("MULTI")
    client("BZPOPMIN", "z", 0)
    client("BZMPOP", 0, 1, "z", "MIN")
    assert [part.value for part in client.call("EXEC").value] == [None, None]


def test_sets_take_part(client: LocalClient) -> None:
    client("SADD", "s", "a", "b", "1")
    client("ZADD", "z", 5, "a", 6, "1", 7, "c")
    assert client("ZUNION", 2, "s", "z", "WEIGHTS", 10, 1, "WITHSCORES") == [
        b"c", 7.0, b"b", 10.0, b"a", 15.0, b"1", 16.0,
    ]  # fmt: skip
    assert client("ZINTER", 2, "s", "z", "AGGREGATE", "MIN", "WITHSCORES") == [
        b"1", 1.0, b"a", 1.0,
    ]  # fmt: skip
    assert client("ZDIFF", 2, "s", "z") == [b"b"]
    assert client("ZDIFF", 2, "z", "s", "WITHSCORES") == [b"c", 7.0]
    assert client("ZINTERCARD", 2, "s", "z", "LIMIT", 1) == 1
    client("SET", "text", "x")
    client("HSET", "hash", "f", "v")
    for key in ("text", "hash"):
        assert client.error("ZUNION", 2, "z", key).startswith("WRONGTYPE")


def test_stored_results_become_small_again(client: LocalClient) -> None:
    client("CONFIG", "SET", "zset-max-listpack-entries", 3)
    client("ZADD", "z", 1, "a", 2, "b", 3, "c", 4, "d")
    assert client("OBJECT", "ENCODING", "z") == b"skiplist"
    client("ZREM", "z", "d")
    assert client("OBJECT", "ENCODING", "z") == b"skiplist"
    client("ZUNIONSTORE", "u", 1, "z")
    client("ZRANGESTORE", "r", "z", 0, 1)
    assert client("OBJECT", "ENCODING", "u") == client("OBJECT", "ENCODING", "r") == b"listpack"
    client("CONFIG", "SET", "zset-max-listpack-value", 0)
    client("ZUNIONSTORE", "u", 1, "z")
    assert client("OBJECT", "ENCODING", "u") == b"skiplist"


def test_digests_do_not_depend_on_the_form(client: LocalClient) -> None:
    words = [word for n in range(50) for word in (f"{n * 0.1}", f"m{n}")]
    client("ZADD", "small", *words)
    client("CONFIG", "SET", "zset-max-listpack-entries", 0)
    client("ZADD", "big", *words)
    assert client("OBJECT", "ENCODING", "small") != client("OBJECT", "ENCODING", "big")
    digests = []
    for key in (b"small", b"big"):
        digests.append(Digest())
        client.session.db.peek(key).digest(digests[-1])
    assert digests[0].value() == digests[1].value() != Digest().value()


def test_aggregate_count(client: LocalClient) -> None:
    client("ZADD", "a", 5, "x", "inf", "y")
    client("ZADD", "b", 7, "x", "-inf", "z")
    client("SADD", "s", "x", "w")
    count = ("AGGREGATE", "count", "WITHSCORES")
    assert client("ZUNION", 3, "a", "b", "s", *count) == [
        b"w", 1.0, b"y", 1.0, b"z", 1.0, b"x", 3.0,
    ]  # fmt: skip
    assert client("ZINTER", 3, "s", "b", "a", *count) == [b"x", 3.0]
    # A set counts as often as its weight says.
    assert client("ZUNION", 2, "a", "b", "WEIGHTS", 2, "0.5", *count) == [
        b"z", 0.5, b"y", 2.0, b"x", 2.5,
    ]  # fmt: skip
    assert client("ZINTER", 2, "a", "b", "WEIGHTS", 2, "0.5", *count) == [b"x", 2.5]
    assert client("ZUNIONSTORE", "d", 2, "a", "b", "AGGREGATE", "COUNT") == 3
    assert client("ZRANGE", "d", 0, -1, "WITHSCORES") == [b"y", 1.0, b"z", 1.0, b"x", 2.0]
    assert client("ZINTERSTORE", "d", 2, "a", "b", "AGGREGATE", "COUNT") == 1
    assert client("ZSCORE", "d", "x") == 2.0
    assert client.error("ZDIFF", 1, "a", "AGGREGATE", "COUNT") == "ERR syntax error"
