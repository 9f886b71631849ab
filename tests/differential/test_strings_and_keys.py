"""The string and key commands against redis-server, on random sequences of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair
from support.servers import StartRedis

STRINGS = [
    "APPEND", "DECR", "DECRBY", "GET", "GETDEL", "GETEX", "GETRANGE", "GETSET", "INCR", "INCRBY",
    "INCRBYFLOAT", "LCS", "MGET", "MSET", "MSETNX", "PSETEX", "SET", "SETEX", "SETNX", "SETRANGE",
    "STRLEN", "SUBSTR",
]  # fmt: skip
KEYS = [
    "COPY", "DBSIZE", "DEL", "EXISTS", "EXPIRE", "EXPIREAT", "EXPIRETIME", "FLUSHALL", "FLUSHDB",
    "KEYS", "MOVE", "OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME", "PERSIST", "PEXPIRE",
    "PEXPIREAT", "PEXPIRETIME", "PTTL", "RENAME", "RENAMENX", "SWAPDB", "TOUCH", "TTL", "TYPE",
    "UNLINK",
]  # fmt: skip

SEQUENCES = st.lists(commands(STRINGS + STRINGS + KEYS), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def pair(start_redis: StartRedis) -> Iterator[Pair]:
    server = start_redis("--save", "", "--enable-debug-command", "yes")
    pair = Pair(server.port)
    # When keys expire in the background is up to each server.
    pair.reference.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    yield pair
    pair.close()


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sequence=SEQUENCES, protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    for words in sequence:
        pair.check(*words)
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected
    pair.check_keys(range(3))
