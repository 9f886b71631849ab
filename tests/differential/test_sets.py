"""The set commands against redis-server, on random sequences of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair
from support.servers import StartRedis

SETS = [
    "SADD", "SCARD", "SDIFF", "SDIFFSTORE", "SINTER", "SINTERCARD", "SINTERSTORE", "SISMEMBER",
    "SMEMBERS", "SMISMEMBER", "SMOVE", "SREM", "SUNION", "SUNIONSTORE",
]  # fmt: skip
OTHERS = ["SET", "DEL", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXISTS"]

SEQUENCES = st.lists(commands(SETS * 3 + OTHERS), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def pair(start_redis: StartRedis) -> Iterator[Pair]:
    pair = Pair(start_redis("--save", "").port)
    yield pair
    pair.close()


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sequence=SEQUENCES, protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    # Sets as listpacks came with Redis 7.2.
    pair.ours("CONFIG", "SET", "set-max-listpack-entries", "0")
    for words in sequence:
        pair.check(*words)
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected
    for key in pair.check("KEYS", "*").value:
        pair.check("TYPE", key.value)
        pair.check("OBJECT", "ENCODING", key.value)
        pair.check("SMEMBERS", key.value)
