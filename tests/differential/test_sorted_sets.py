"""The commands of sorted sets against redis-server, on random sequences of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair

ADDING = ["ZADD", "ZADD", "ZINCRBY", "ZREM"]
READING = ["ZCARD", "ZSCORE", "ZMSCORE", "ZRANK", "ZREVRANK", "ZCOUNT"]
RANGES = [
    "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZRANGESTORE",
    "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE",
]  # fmt: skip
BY_TEXT = ["ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZREMRANGEBYLEX", "ZLEXCOUNT"]
POPPING = ["ZPOPMIN", "ZPOPMAX", "ZMPOP"]
COMBINING = [
    "ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD",
]  # fmt: skip
OTHERS = ["SADD", "SET", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXPIRE"]

ALL = ADDING * 3 + READING + RANGES + POPPING + COMBINING + OTHERS


def agree(pair: Pair, sequence: list[Words], protocol: int, entries: int, longest: int) -> None:
    """Run a sequence on both sides and compare all there is to compare."""
    pair.start(protocol)
    for name, value in (("entries", entries), ("value", longest)):
        pair.check("CONFIG", "SET", f"zset-max-listpack-{name}", value)
    pair.ours("CONFIG", "SET", "set-max-listpack-entries", 0)
    pair.run(sequence)
    pair.check_keys("ZRANGE", 0, -1, "WITHSCORES")


def is_old(words: Words) -> bool:
    """Whether a command means the same as it did before Redis 7.2."""
    if words[0].endswith(b"RANK") and len(words) > 3:
        return words[0].startswith(b"ZREM")
    # Which digits are written of a long number.
    return not any(len(word) > 16 and word.lstrip(b"-").isdigit() for word in words)


SOME = commands(ALL).filter(is_old)
MORE = commands(ALL + BY_TEXT).filter(is_old)

protocols = st.sampled_from([2, 3])
differential = settings(max_examples=200, deadline=None)


@differential
@given(st.lists(MORE, min_size=1, max_size=30), protocols)
def test_listpacks(pair: Pair, sequence: list[Words], protocol: int) -> None:
    agree(pair, sequence, protocol, 128, 1000)


# Where scores differ, what is in a range of texts is undefined: Redis's own answer is random.
def is_by_text(words: Words) -> bool:
    return any(word.upper() == b"BYLEX" for word in words)


@differential
@given(
    st.lists(SOME.filter(lambda words: not is_by_text(words)), min_size=1, max_size=30),
    protocols,
    st.sampled_from([0, 2, 5]),
)
def test_both_forms(pair: Pair, sequence: list[Words], protocol: int, entries: int) -> None:
    agree(pair, sequence, protocol, entries, 64)


TEXTS = st.sampled_from([b"a", b"ab", b"b", b"\xff", b"", b"10", b"9", b"foo", b"bar", b"z" * 70])


@differential
@given(
    st.lists(TEXTS, min_size=1, max_size=10, unique=True),
    st.lists(commands(BY_TEXT + ["ZRANGE", "ZRANGESTORE"]), min_size=1, max_size=20),
    protocols,
    st.sampled_from([0, 128]),
)
def test_ranges_of_texts(
    pair: Pair, texts: list[bytes], ranges: list[Words], protocol: int, entries: int
) -> None:
    filling = [
        (b"ZADD", key, *(word for text in texts for word in (b"0", text))) for key in (b"a", b"b")
    ]
    agree(pair, filling + ranges, protocol, entries, 64)


@differential
@given(
    st.lists(st.tuples(st.sampled_from([b"1", b"0.5", b"-3", b"1e20"]), TEXTS), min_size=1),
    st.sampled_from([b"*", b"a*", b"?", b"[a-f]*"]),
    st.sampled_from([1, 10, 100]),
)
def test_scanning(pair: Pair, added: list[tuple[bytes, bytes]], pattern: bytes, count: int) -> None:
    pair.start(2)
    pair.check("CONFIG", "SET", "zset-max-listpack-entries", 128, "zset-max-listpack-value", 100)
    pair.check("ZADD", "a", *(word for pairs in added for word in pairs))
    words = ("ZSCAN", "a", 0, "MATCH", pattern, "COUNT", count)
    replies = [side.call(*words).value for side in (pair.reference, pair.ours)]
    assert replies[0][0] == replies[1][0]
    found = [
        sorted((m.value, s.value) for m, s in zip(r[1].value[::2], r[1].value[1::2], strict=True))
        for r in replies
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "words",
    [
        ("ZADD", "k", "1"),
        ("ZADD", "k", "NX", "XX", "1", "a"),
        ("ZADD", "k", "GT", "LT", "1", "a"),
        ("ZADD", "k", "GT", "NX", "1", "a"),
        ("ZADD", "k", "INCR", "1", "a", "2", "b"),
        ("ZADD", "k", "1", "a", "x", "b"),
        ("ZADD", "k", "NX", "CH"),
        ("ZINCRBY", "k", "incr", "a"),
        ("ZINCRBY", "inf", "-inf", "a"),
        ("ZPOPMIN", "k", "-1"),
        ("ZPOPMIN", "k", "x"),
        ("ZPOPMIN", "k", "1", "2"),
        ("ZPOPMAX", "none", "0"),
        ("ZMPOP", "0", "k", "MIN"),
        ("ZMPOP", "1", "k", "MID"),
        ("ZMPOP", "1", "k"),
        ("ZMPOP", "5", "k", "MIN"),
        ("ZMPOP", "1", "k", "MIN", "COUNT"),
        ("ZMPOP", "1", "k", "MIN", "COUNT", "0"),
        ("ZMPOP", "1", "k", "MIN", "COUNT", "1", "COUNT", "1"),
        ("ZMPOP", "1", "none", "MIN"),
        ("BZMPOP", "x", "1", "k", "MIN"),
        ("BZMPOP", "-1", "1", "k", "MIN"),
        ("BZMPOP", "0.1", "1", "text", "MIN"),
        ("BZPOPMIN", "k", "x"),
        ("BZPOPMIN", "none", "-1"),
        ("BZPOPMIN", "text", "0"),
        ("ZRANGE", "k", "0", "1", "LIMIT", "0", "1"),
        ("ZRANGE", "k", "0", "1", "LIMIT", "0", "-1"),
        ("ZRANGE", "k", "-", "+", "BYLEX", "WITHSCORES"),
        ("ZRANGE", "k", "-", "+", "BYLEX", "BYSCORE"),
        ("ZRANGE", "k", "(a", "(b", "BYSCORE"),
        ("ZRANGE", "k", "1", "2", "LIMIT", "1"),
        ("ZRANGEBYSCORE", "k", "-inf", "inf", "LIMIT", "-1", "2"),
        ("ZRANGEBYSCORE", "k", "-inf", "inf", "LIMIT", "1", "-7"),
        ("ZREVRANGEBYLEX", "k", "+", "-", "LIMIT", "1", "1"),
        ("ZREVRANGE", "k", "0", "1", "REV"),
        ("ZRANGESTORE", "new", "k", "0", "1", "WITHSCORES"),
        ("ZUNION", "0", "k"),
        ("ZUNION", "9", "k"),
        ("ZUNION", "x", "k"),
        ("ZUNIONSTORE", "new", "0", "k"),
        ("ZUNION", "1", "k", "WEIGHTS", "x"),
        ("ZUNION", "1", "k", "WEIGHTS"),
        ("ZUNION", "1", "k", "AGGREGATE", "AVG"),
        ("ZDIFF", "1", "k", "WEIGHTS", "1"),
        ("ZUNIONSTORE", "new", "1", "k", "WITHSCORES"),
        ("ZINTERCARD", "1", "k", "LIMIT", "-1"),
        ("ZINTERCARD", "1", "k", "LIMIT"),
        ("ZINTERCARD", "1", "k", "WITHSCORES"),
        ("ZINTER", "2", "k", "text"),
        ("ZRANDMEMBER", "k", "x"),
        ("ZRANDMEMBER", "k", "1", "SCORES"),
        ("ZRANDMEMBER", "k", "-9223372036854775808"),
        ("ZRANDMEMBER", "k", "4611686018427387904", "WITHSCORES"),
        ("ZRANDMEMBER", "k", "100", "WITHSCORES"),
        ("ZRANDMEMBER", "none", "-5"),
        ("ZSCAN", "k", "x"),
        ("ZSCAN", "k", "0", "COUNT", "0"),
        ("ZSCAN", "k", "0", "TYPE", "zset"),
        ("ZSCAN", "none", "0", "COUNT", "0"),
        ("ZSCAN", "text", "0"),
        ("ZLEXCOUNT", "k", "a", "[b"),
        ("ZCOUNT", "k", "1", "x"),
        ("ZREMRANGEBYRANK", "k", "0", "x"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_odd_commands(pair: Pair, words: tuple[str, ...], protocol: int) -> None:
    pair.start(protocol)
    pair.check("ZADD", "k", 1, "a", 2, "b", 3, "c")
    pair.check("ZADD", "inf", "inf", "a")
    pair.check("SET", "text", "x")
    pair.check(*words)
    pair.check("ZRANGE", "k", 0, -1, "WITHSCORES")
