"""The table of members of a big set: what it holds while it grows and shrinks, what it costs."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.collections.set import Set

TABLES = Limits()
TABLES.set_max_intset_entries = 0
TABLES.set_max_listpack_entries = 0

# Members of all lengths around those where something changes: up to 63 bytes stand in a block, and
# a length of 8 is that of a pointer.
LENGTHS = [0, 1, 7, 8, 9, 15, 61, 62, 63, 64, 65, 100, 1000, 1015, 1016, 1017, 5000]
TEXTS = st.one_of(
    st.integers(0, 3000).map(lambda number: b"m%d" % number),
    st.builds(
        lambda length, number: (b"%d." % number * 2000)[:length],
        st.sampled_from(LENGTHS),
        st.integers(0, 9),
    ),
    st.binary(max_size=70),
)


def table(members: Iterable[bytes] = ()) -> Set:
    """A set that is a table from its first member on."""
    made = Set()
    for member in members:
        assert made.add(TABLES, member)
    return made


def scanned(made: Set, count: int = 10) -> list[bytes]:
    cursor, found = made.scan(0, count)
    while cursor:
        cursor, some = made.scan(cursor, count)
        found += some
    return found


class Model(RuleBasedStateMachine):
    """A set beside one of Python, with the memory in use to the byte."""

    def __init__(self) -> None:
        super().__init__()
        gc.collect()
        self.before = memory.used()
        self.made = table([b"first"])
        self.model = {b"first"}
        self.cursor = 0
        self.met: set[bytes] = set()
        self.stable: set[bytes] = set()
        self.fresh = 0

    @rule(text=TEXTS)
    def add(self, text: bytes) -> None:
        assert self.made.add(TABLES, text) == (text not in self.model)
        self.model.add(text)

    @rule(text=TEXTS)
    def remove(self, text: bytes) -> None:
        assert self.made.remove(text) == (text in self.model)
        self.model.discard(text)
        self.stable.discard(text)

    @rule(text=TEXTS)
    def look(self, text: bytes) -> None:
        assert self.made.contains(text) == (text in self.model)

    @rule(count=st.integers(1, 400), length=st.sampled_from([0, 30, 70]))
    def add_many(self, count: int, length: int) -> None:
        for _ in range(count):
            self.fresh += 1
            text = b"%d" % self.fresh + b"x" * length
            assert self.made.add(TABLES, text) == (text not in self.model)
            self.model.add(text)

    @rule(count=st.integers(1, 600), seed=st.integers(0, 2**32))
    def remove_many(self, count: int, seed: int) -> None:
        leaving = random.Random(seed).sample(sorted(self.model), min(count, len(self.model)))
        for text in leaving:
            assert self.made.remove(text)
        self.model.difference_update(leaving)
        self.stable.difference_update(leaving)

    @rule()
    def pop(self) -> None:
        if self.model:
            text = self.made.pop()
            self.model.remove(text)
            self.stable.discard(text)

    @rule()
    def draw(self) -> None:
        if self.model:
            assert self.made.random() in self.model

    @rule(steps=st.integers(1, 20))
    def scan(self, steps: int) -> None:
        for _ in range(steps):
            if self.cursor == 0:
                self.met, self.stable = set(), set(self.model)
            self.cursor, some = self.made.scan(self.cursor, 1)
            self.met.update(some)
            if self.cursor == 0:
                assert self.stable <= self.met

    @rule()
    def copy(self) -> None:
        self.made = self.made.copy()

    @rule()
    def compare(self) -> None:
        assert sorted(self.made.members()) == sorted(self.model)
        assert sorted(scanned(self.made)) == sorted(self.model)

    @invariant()
    def is_counted(self) -> None:
        assert len(self.made) == len(self.model)
        assert memory.used() - self.before == self.made.memory()

    def teardown(self) -> None:
        del self.made
        assert memory.used() == self.before


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestModel = Model.TestCase


def test_it_holds_all_while_it_grows_and_shrinks() -> None:
    names = [b"member:%d" % number for number in range(40_000)]
    random.Random(1).shuffle(names)
    made = table()
    for count, name in enumerate(names, 1):
        made.add(TABLES, name)
        if count & (count - 1) == 0:
            assert sorted(made.members()) == sorted(names[:count])
    assert all(name in made for name in names)
    assert sorted(scanned(made)) == sorted(names)
    for left in range(len(names) - 1, -1, -1):
        assert made.remove(names[left])
        assert names[left] not in made
        if left & (left - 1) == 0:
            assert all(name in made for name in names[:left])
            assert sorted(made.members()) == sorted(names[:left])
    assert len(made) == 0
    assert made.memory() < 300


@pytest.mark.parametrize("seed", range(12))
def test_a_scan_meets_what_stays_whatever_else_changes(seed: int) -> None:
    rnd = random.Random(seed)
    stable = [b"stable:%d" % number for number in range(rnd.choice([1, 50, 3000]))]
    made = table(stable)
    others: list[bytes] = []
    growing = rnd.random() < 0.5
    if not growing:
        others = [b"other:%d" % number for number in range(20_000)]
        for other in others:
            made.add(TABLES, other)
    cursor, met = made.scan(0, 1)
    met = set(met)
    while cursor:
        for _ in range(rnd.randrange(40)):
            if growing:
                made.add(TABLES, b"new:%d" % rnd.randrange(100_000))
            elif others:
                made.remove(others.pop())
        cursor, some = made.scan(cursor, 1)
        met.update(some)
    assert met >= set(stable)


@pytest.mark.parametrize("count", [1, 2, 13, 100, 1000, 1530])
def test_every_member_is_drawn_equally_often(count: int) -> None:
    made = table([b"m%d" % number for number in range(count)])
    draws = 100 * count
    seen: dict[bytes, int] = {}
    for _ in range(draws):
        member = made.random()
        seen[member] = seen.get(member, 0) + 1
    assert len(seen) == count
    # The sum of squares is about chi-squared: count - 1 degrees of freedom, +- 6 deviations.
    chi = sum((number - 100) ** 2 for number in seen.values()) / 100
    assert chi < count - 1 + 6 * (2 * count) ** 0.5


@pytest.mark.parametrize("count", [3000, 5000, 8191, 8192, 20_000, 33_000, 60_000, 100_000])
def test_a_member_takes_its_length_and_little_more(count: int) -> None:
    names = [b"member:%d" % number for number in range(count)]
    made = table(names)
    length = sum(map(len, names))
    assert made.memory() - length < 5 * count
    assert made.copy().memory() - length < 5 * count
    # With half of them gone, blocks have some room to spare.
    for name in names[::2]:
        made.remove(name)
    length = sum(map(len, names[1::2]))
    # How many varies with the seed of the hashes.
    assert made.memory() - length < 8.5 * (count // 2)


@pytest.mark.parametrize("length", [63, 64, 100, 1000])
def test_long_members_take_little_more_than_they_did(length: int) -> None:
    names = [b"%d" % number + b"x" * (length - 4) for number in range(1000, 4000)]
    made = table(names)
    assert made.memory() < len(names) * (length * 1.07 + 24)
