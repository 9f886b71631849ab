"""The hash commands against redis-server, on random sequences of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair
from support.servers import StartRedis

HASHES = [
    "HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET",
    "HMSET", "HSET", "HSETNX", "HSTRLEN", "HVALS",
]  # fmt: skip
OTHERS = ["SET", "DEL", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXISTS"]

SEQUENCES = st.lists(commands(HASHES * 3 + OTHERS), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def pair(start_redis: StartRedis) -> Iterator[Pair]:
    pair = Pair(start_redis("--save", "").port)
    yield pair
    pair.close()


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sequence=SEQUENCES,
    protocol=st.sampled_from([2, 3]),
    entries=st.sampled_from([0, 2, 512]),
    length=st.sampled_from([1, 64]),
)
def test_random_sequences(
    pair: Pair, sequence: list[Words], protocol: int, entries: int, length: int
) -> None:
    pair.start(protocol)
    pair.check("CONFIG", "SET", "hash-max-listpack-entries", entries)
    pair.check("CONFIG", "SET", "hash-max-listpack-value", length)
    for words in sequence:
        pair.check(*words)
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected
    pair.check("DEBUG", "DIGEST")
    for key in pair.check("KEYS", "*").value:
        pair.check("TYPE", key.value)
        pair.check("OBJECT", "ENCODING", key.value)
        pair.check("HGETALL", key.value)
