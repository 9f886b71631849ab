"""The string and key commands against redis-server, on random sequences of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair

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


def is_alike(words: Words) -> bool:
    """Whether this does what it did: since Redis 8.0 an end before the start of a text is empty."""
    return words[0] not in (b"GETRANGE", b"SUBSTR") or not words[-1].startswith(b"-")


SEQUENCES = st.lists(commands(STRINGS + STRINGS + KEYS).filter(is_alike), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(sequence=SEQUENCES, protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    pair.run(sequence)
    pair.check_keys("GET", databases=range(3))
