"""The set commands against redis-server, on random sequences of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair

SETS = [
    "SADD", "SCARD", "SDIFF", "SDIFFSTORE", "SINTER", "SINTERCARD", "SINTERSTORE", "SISMEMBER",
    "SMEMBERS", "SMISMEMBER", "SMOVE", "SREM", "SUNION", "SUNIONSTORE",
]  # fmt: skip
OTHERS = ["SET", "DEL", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXISTS"]

SEQUENCES = st.lists(commands(SETS * 3 + OTHERS), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(sequence=SEQUENCES, protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    # Sets as listpacks came with Redis 7.2.
    pair.ours("CONFIG", "SET", "set-max-listpack-entries", "0")
    pair.run(sequence)
    pair.check_keys("SMEMBERS")


def test_few_members_that_spop_leaves_are_a_new_set(pair: Pair) -> None:
    pair.start(2)
    numbers = [str(number) for number in range(600)]
    for count in (599, 501, 500, 499, 479):
        pair.run([("SADD", "s", *numbers)])
        for client in (pair.ours, pair.reference):
            assert len(client.call("SPOP", "s", count).items) == count
        pair.run([("OBJECT", "ENCODING", "s"), ("SCARD", "s"), ("DEL", "s")])


def test_integers_that_tables_share_are_stored_as_an_intset(pair: Pair) -> None:
    pair.start(2)
    pair.ours("CONFIG", "SET", "set-max-listpack-entries", "0")
    pair.run([("SADD", "a", "x", "1", "2"), ("SADD", "b", "y", "2", "1")])
    for command in ("SINTERSTORE", "SDIFFSTORE", "SUNIONSTORE"):
        pair.run([(command, "c", "a", "b"), ("OBJECT", "ENCODING", "c")])
    pair.run([("SADD", "z", "x"), ("SDIFFSTORE", "c", "a", "z"), ("OBJECT", "ENCODING", "c")])
    pair.check_keys("SMEMBERS")
