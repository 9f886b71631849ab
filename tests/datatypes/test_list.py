"""The list against a Python list, under every kind of limit."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.digest import Digest
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.collections import quicklist
from carnelian.datatypes.collections.list import List

words = st.one_of(
    st.sampled_from([b"a", b"b", b"7", b"-300", b""]),
    st.binary(max_size=6),
    st.integers(-(2**40), 2**40).map(lambda n: b"%d" % n),
    st.sampled_from([100, 900, 4100, 8200, 9000]).map(lambda n: b"w" * n),
)


class AgainstList(RuleBasedStateMachine):
    """Every change on a list and on a Python list."""

    @initialize(fill=st.sampled_from([-5, -2, -1, 0, 1, 3, 20]), depth=st.integers(0, 2))
    def start(self, fill: int, depth: int) -> None:
        self.limits = Limits()
        self.limits.list_max_listpack_size = fill
        self.limits.list_compress_depth = depth
        self.list = List()
        self.model: list[bytes] = []

    @rule(some=st.lists(words, min_size=1, max_size=12), at_head=st.booleans())
    def push(self, some: list[bytes], at_head: bool) -> None:
        self.list.push(self.limits, [b"PUSH", *some], 1, at_head)
        self.model = some[::-1] + self.model if at_head else self.model + some

    @rule(word=words, at_head=st.booleans(), count=st.integers(1, 30))
    def push_the_same(self, word: bytes, at_head: bool, count: int) -> None:
        for _ in range(count):
            self.list.push_one(self.limits, word, at_head)
        self.model = [word] * count + self.model if at_head else self.model + [word] * count

    @rule(at_head=st.booleans(), count=st.integers(1, 10))
    def pop(self, at_head: bool, count: int) -> None:
        for _ in range(min(count, len(self.model))):
            assert self.list.pop(self.limits, at_head) == self.model.pop(0 if at_head else -1)

    @rule(data=st.data(), word=words)
    def replace(self, data: st.DataObject, word: bytes) -> None:
        index = data.draw(st.integers(-len(self.model) - 1, len(self.model)))
        there = -len(self.model) <= index < len(self.model)
        assert self.list.set_item(self.limits, index, word) == there
        if there:
            self.model[index] = word

    @rule(data=st.data(), word=words, after=st.booleans())
    def insert(self, data: st.DataObject, word: bytes, after: bool) -> None:
        pivot = data.draw(st.sampled_from(self.model) if self.model else words)
        found = pivot in self.model
        assert self.list.insert(self.limits, pivot, word, after) == found
        if found:
            self.model.insert(self.model.index(pivot) + after, word)

    @rule(data=st.data())
    def remove_range(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(self.model)))
        count = data.draw(st.integers(0, len(self.model) - start))
        self.list.remove_range(self.limits, start, count)
        del self.model[start : start + count]

    @rule(data=st.data(), most=st.integers(1, 5), forward=st.booleans())
    def remove_equal(self, data: st.DataObject, most: int, forward: bool) -> None:
        word = data.draw(st.sampled_from(self.model) if self.model else words)
        places = [index for index, there in enumerate(self.model) if there == word]
        places = places[:most] if forward else places[-most:]
        assert self.list.remove_equal(self.limits, word, most, forward) == len(places)
        for index in reversed(places):
            del self.model[index]

    @rule(data=st.data(), forward=st.booleans())
    def read_a_part(self, data: st.DataObject, forward: bool) -> None:
        start = data.draw(st.integers(0, len(self.model)))
        count = data.draw(st.integers(0, len(self.model) + 1))
        if forward:
            expected = self.model[start : start + count]
        else:
            stop = start - count
            expected = self.model[start : stop if stop >= 0 else None : -1]
            expected = expected if count and start < len(self.model) else []
        assert self.list.items(start, count, forward) == expected

    @rule(data=st.data(), rank=st.integers(1, 3), most=st.integers(0, 3), forward=st.booleans())
    def find(self, data: st.DataObject, rank: int, most: int, forward: bool) -> None:
        word = data.draw(st.sampled_from(self.model) if self.model else words)
        scanned = data.draw(st.integers(0, len(self.model) + 1))
        places = range(len(self.model)) if forward else range(len(self.model) - 1, -1, -1)
        looked_at = list(places)[: scanned or None]
        found = [index for index in looked_at if self.model[index] == word][rank - 1 :]
        assert self.list.positions(word, rank, most, scanned, forward) == found[: most or None]

    @rule()
    def go_on_with_a_copy(self) -> None:
        twin = self.list.copy()
        assert twin.encoding() == self.list.encoding()
        # The allocator may give a large block a little more than it was asked for.
        assert abs(twin.memory() - self.list.memory()) <= 16 * twin.free_effort()
        self.list.remove_range(self.limits, 0, len(self.model))
        assert len(self.list) == 0
        self.list = twin

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "list"):
            return
        assert len(self.list) == len(self.model)
        assert list(self.list) == self.model
        size = len(self.model)
        for index in (0, size // 2, size - 1, -1, -size, size, -size - 1):
            there = -size <= index < size
            assert self.list.item(index) == (self.model[index] if there else None)

    @invariant()
    def well_formed(self) -> None:
        if not hasattr(self, "list") or self.list.quicklist is None:
            return
        nodes = list(self.list.quicklist.describe())
        depth = self.list.quicklist.depth
        assert len(nodes) == self.list.quicklist.nodes == self.list.free_effort()
        assert sum(count for _, count, _, _ in nodes) == len(self.model)
        for place, (plain, count, size, stream) in enumerate(nodes):
            near_an_end = min(place, len(nodes) - 1 - place) < depth
            assert not (stream and (near_an_end or depth == 0))
            assert count == 1 or not plain
            assert not plain or size > 4096

    def teardown(self) -> None:
        if not hasattr(self, "list"):
            return
        held = self.list.memory()
        gc.disable()  # Garbage of others must not go just now.
        before = memory.used()
        del self.list
        freed = before - memory.used()
        gc.enable()
        assert freed == held


TestAgainstList = AgainstList.TestCase
TestAgainstList.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.fixture
def limits() -> Limits:
    return Limits()


def filled(limits: Limits, count: int, size: int = 100) -> List:
    made = List()
    made.push(limits, [b"%0*d" % (size, number) + b"x" for number in range(count)], 0, False)
    return made


def test_the_form_follows_the_size(limits: Limits) -> None:
    limits.list_max_listpack_size = 4
    made = filled(limits, 4)
    assert made.encoding() == b"listpack"
    made.push_one(limits, b"one more", True)
    assert made.encoding() == b"quicklist"
    for _ in range(2):
        made.pop(limits, True)
        assert made.encoding() == b"quicklist"
    # Only half of the limit makes it a listpack again.
    made.pop(limits, True)
    assert made.encoding() == b"listpack"


def test_the_form_follows_bytes(limits: Limits) -> None:
    limits.list_max_listpack_size = -1
    made = filled(limits, 39)
    assert made.encoding() == b"listpack"
    made.push_one(limits, b"x" * 100, False)
    assert made.encoding() == b"quicklist"


@pytest.mark.parametrize(("count", "of_each"), [(100, 11.9), (100_000, 15.6)])
def test_elements_take_no_backward_lengths(limits: Limits, count: int, of_each: float) -> None:
    made = List()
    made.push(limits, [b"element:%d" % number for number in range(count)], 0, False)
    assert made.memory() / count < of_each
    if made.quicklist is not None:
        # What counts for the limits is what Redis would count.
        nodes = list(made.quicklist.describe())
        assert sum(size - 7 for _, _, size, _ in nodes) == sum(
            len(b"element:%d" % number) + 2 for number in range(count)
        )
    # Who comes from behind gets them, in the last node only.
    before = made.memory()
    assert made.pop(limits, False) == b"element:%d" % (count - 1)
    assert made.item(-1) == b"element:%d" % (count - 2)
    assert 0 < made.memory() - before < 800
    # malloc leaves a rest that is too small for anything else with the block before it.
    assert abs(made.copy().memory() - made.memory()) <= 16


def test_walking_backwards_leaves_inner_nodes_as_they_are(limits: Limits) -> None:
    made = filled(limits, 1000, 8)
    before = made.memory()
    assert made.positions(b"none", 1, 0, 0, False) == []
    assert made.items(999, 1000, False) == list(made)[::-1]
    assert made.quicklist is not None
    assert made.memory() - before < 1000


def test_large_elements_are_nodes_of_their_own(limits: Limits) -> None:
    made = filled(limits, 2)
    made.push_one(limits, b"L" * 9000, False)
    made.push_one(limits, b"small", False)
    assert made.quicklist is not None
    assert [(plain, count) for plain, count, _, _ in made.quicklist.describe()] == [
        (False, 2), (True, 1), (False, 1),
    ]  # fmt: skip
    made.set_item(limits, 2, b"no longer")
    assert [(plain, count) for plain, count, _, _ in made.quicklist.describe()] == [
        (False, 2), (False, 2),
    ] or made.quicklist is None  # fmt: skip


def test_a_threshold_for_tests(limits: Limits) -> None:
    quicklist.set_large_from(5)
    try:
        made = List()
        made.push(limits, [b"1234", b"x" * 9000, b"12345", b"5"], 0, False)
        assert made.quicklist is not None
        kinds = [plain for plain, _, _, _ in made.quicklist.describe()]
        assert kinds == [False, True, True, False]
    finally:
        quicklist.set_large_from(0)


def test_inner_nodes_are_compressed(limits: Limits) -> None:
    limits.list_compress_depth = 1
    made = filled(limits, 1000)
    assert made.quicklist is not None
    streams = [stream for _, _, _, stream in made.quicklist.describe()]
    assert streams[0] == streams[-1] == 0
    assert all(streams[1:-1])
    assert made.memory() < 30000
    assert made.item(500) == b"%0100dx" % 500
    assert made.items(300, 400) == [b"%0100dx" % number for number in range(300, 700)]
    assert [stream for _, _, _, stream in made.quicklist.describe()] == streams
    made.set_item(limits, 500, b"changed")
    assert all([stream for _, _, _, stream in made.quicklist.describe()][1:-1])
    assert made.item(500) == b"changed"


def test_it_is_freed_in_steps(limits: Limits) -> None:
    made = filled(limits, 100_000, 20)
    nodes = made.free_effort()
    steps = 1
    while made.free_some():
        steps += 1
    assert steps > nodes // 100
    assert made.free_effort() == 0


def test_all_of_it_goes_into_a_digest(limits: Limits) -> None:
    digest, expected = Digest(), Digest()
    filled(limits, 300).digest(digest)
    for number in range(300):
        expected.chain(b"%0100dx" % number)
    assert digest.value() == expected.value()
