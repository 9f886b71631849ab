"""HyperLogLogs against redis-server: the same bytes after the same commands."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from differential.pair import Pair

Step = tuple[str, int, int]

STEPS = st.tuples(
    st.sampled_from(["add", "add", "add", "add", "count", "merge", "both", "dense", "registers"]),
    st.integers(0, 2**31),
    st.integers(0, 60),
)


def run(pair: Pair, step: Step) -> None:
    """Do one step on both sides."""
    name, seed, size = step
    chance = random.Random(seed)
    keys = chance.choices(["a", "b", "c", "d"], k=3)
    if name == "add":
        words = [chance.randbytes(chance.randrange(0, 20)) for _ in range(size * 5)]
        pair.check("PFADD", keys[0], *words)
        pair.check("PFDEBUG", "DECODE", keys[0])
    elif name == "count":
        pair.check("PFCOUNT", keys[0])
    elif name == "both":
        pair.check("PFCOUNT", *keys)
    elif name == "merge":
        pair.check("PFMERGE", *keys)
    elif name == "dense":
        pair.check("PFDEBUG", "TODENSE", keys[0])
    else:
        pair.check("PFDEBUG", "GETREG", keys[0])


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=25), most=st.sampled_from([0, 100, 600, 3000]))
def test_random_sequences(pair: Pair, steps: list[Step], most: int) -> None:
    pair.start(3)
    pair.check("CONFIG", "SET", "hll-sparse-max-bytes", most)
    for step in steps:
        run(pair, step)
        for key in pair.check("KEYS", "*").value:
            pair.check("GET", key.value)
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), spoilt=st.integers(0, 5))
def test_strings_that_may_be_corrupt(pair: Pair, seed: int, spoilt: int) -> None:
    pair.start(3)
    pair.check("CONFIG", "SET", "hll-sparse-max-bytes", 3000)
    chance = random.Random(seed)
    elements = [b"%d" % chance.randrange(1000) for _ in range(chance.randrange(200))]
    pair.check("PFADD", "k", *elements)
    value = bytearray(pair.check("GET", "k").value)
    for _ in range(spoilt):
        value[chance.randrange(len(value))] = chance.randrange(256)
    pair.check("SET", "k", bytes(value))
    for words in (("PFCOUNT", "k"), ("PFCOUNT", "k", "x"), ("PFMERGE", "out", "k")):
        pair.check(*words)
