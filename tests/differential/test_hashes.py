"""The hash commands against redis-server, on random sequences of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair

HASHES = [
    "HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET",
    "HMSET", "HSET", "HSETNX", "HSTRLEN", "HVALS",
]  # fmt: skip
OTHERS = ["SET", "DEL", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXISTS"]

SEQUENCES = st.lists(commands(HASHES * 3 + OTHERS), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
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
    pair.run(sequence)
    pair.check_keys("HGETALL")
