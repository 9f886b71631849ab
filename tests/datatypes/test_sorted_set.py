"""The sorted set in both forms, alone: against a dict, and its bytes against redis-server's."""

from __future__ import annotations

import gc
import math
import random
from bisect import bisect_left, bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from carnelian.datatypes.base import memory
from carnelian.datatypes.base.limits import Limits
from carnelian.datatypes.collections.sorted_set import SortedSet, from_packed
from carnelian.datatypes.packs.packed import Listpack
from support.servers import ReferenceServer

SMALL = Limits()
BIG = Limits()
BIG.set("zset-max-listpack-entries", 0)

scores = st.sampled_from(
    [0.0, 1.0, -1.0, 2.5, 0.1, 1e300, -1e-300, math.inf, -math.inf]
) | st.floats(allow_nan=False)
members = st.binary(max_size=3) | st.integers(-200, 200).map(lambda n: b"%d" % n)


def filled(limits: Limits, pairs: dict[bytes, float]) -> SortedSet:
    made = SortedSet()
    for member, score in pairs.items():
        made.add(member, score, limits)
    return made


def ordered(pairs: dict[bytes, float]) -> list[tuple[bytes, float]]:
    return sorted(pairs.items(), key=lambda pair: (pair[1], pair[0]))


class AgainstDict(RuleBasedStateMachine):
    """Every change on a sorted set and on a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.set = SortedSet()
        self.model: dict[bytes, float] = {}
        self.limits = SMALL

    @initialize(limits=st.sampled_from([SMALL, BIG]))
    def begin(self, limits: Limits) -> None:
        self.limits = limits

    @rule(member=members, score=scores)
    def add(self, member: bytes, score: float) -> None:
        assert self.set.add(member, score, self.limits) == (member not in self.model)
        self.model[member] = score

    @rule(start=st.integers(0, 10**6), step=st.sampled_from([-1, 1]), count=st.integers(0, 200))
    def add_in_order(self, start: int, step: int, count: int) -> None:
        for number in range(start, start + step * count, step):
            self.add(b"m%d" % number, float(number))

    @rule(member=members)
    def discard(self, member: bytes) -> None:
        assert self.set.discard(member) == (member in self.model)
        self.model.pop(member, None)

    @rule(data=st.data())
    def remove_ranks(self, data: st.DataObject) -> None:
        size = len(self.model)
        start = data.draw(st.integers(0, size))
        stop = data.draw(st.integers(start, size))
        for member, _ in ordered(self.model)[start:stop]:
            del self.model[member]
        self.set.remove_ranks(start, stop)

    @rule(low=scores, high=scores, low_open=st.booleans(), high_open=st.booleans())
    def find_scores(self, low: float, high: float, low_open: bool, high_open: bool) -> None:
        every = [score for _, score in ordered(self.model)]
        start = (bisect_right if low_open else bisect_left)(every, low)
        stop = (bisect_left if high_open else bisect_right)(every, high)
        found = self.set.ranks_by_score(low, high, low_open, high_open)
        assert found == (start, max(start, stop))

    @rule()
    def copy(self) -> None:
        copy = self.set.copy()
        copy.add(b"another one", 1.0, self.limits)
        copy.discard(b"another one")
        assert copy.items() == self.set.items()
        assert copy.is_sound()

    @invariant()
    def agree(self) -> None:
        expected = ordered(self.model)
        assert self.set.items() == expected
        assert self.set.between(len(expected) - 1, -1) == [list(pair) for pair in expected[::-1]]
        assert self.set.is_sound()
        for rank, (member, score) in enumerate(expected[::50]):
            assert self.set.index(member) == 50 * rank
            assert self.set.score(member) == score


TestAgainstDict = AgainstDict.TestCase
TestAgainstDict.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("seed", range(4))
def test_large_sets_grow_and_shrink(seed: int) -> None:
    chance = random.Random(seed)
    made, model = SortedSet(), {}
    for phase in range(6):
        for _ in range(4000):
            member = b"m%d" % chance.randrange(20000)
            if chance.random() < (0.2 if phase % 2 else 0.9):
                # Few different scores, so that members decide in many places.
                model[member] = float(chance.randrange(50 if seed % 2 else 10**9))
                made.add(member, model[member], SMALL)
            else:
                assert made.discard(member) == (model.pop(member, None) is not None)
        assert made.is_sound()
        expected = ordered(model)
        assert made.items() == expected
        for rank in range(0, len(expected), 97):
            assert made.index(expected[rank][0]) == rank
            assert made.between(rank, rank + 1) == [list(expected[rank])]
    for member in list(model):
        made.discard(member)
    assert len(made) == 0
    assert made.is_sound()


def test_scores_that_change_a_little_stay_in_place() -> None:
    made = filled(BIG, {b"%d" % n: float(n) for n in range(1000)})
    for n in range(1000):
        made.add(b"%d" % n, n + 0.25, BIG)
    assert made.is_sound()
    assert [score for _, score in made.items()] == [n + 0.25 for n in range(1000)]


def test_texts_in_ranges() -> None:
    names = [b"%02x" % n for n in range(256)]
    for limits in (SMALL, BIG):
        made = filled(limits, dict.fromkeys(names[:100], 0.0))
        assert made.ranks_by_text(b"05", b"10") == (5, 17)
        assert made.ranks_by_text(b"05", b"10", True, True) == (6, 16)
        assert made.ranks_by_text(b"", b"zz") == (0, 100)
        assert made.ranks_by_text(b"10", b"05") == (0, 0)
        assert made.ranks_by_text(b"05", b"05") == (5, 6)
        assert made.ranks_by_text(b"05", b"05", True) == (0, 0)


def test_when_a_set_becomes_big() -> None:
    assert filled(SMALL, {b"%d" % n: 0.0 for n in range(128)}).encoding() == b"listpack"
    assert filled(SMALL, {b"%d" % n: 0.0 for n in range(129)}).encoding() == b"skiplist"
    assert filled(SMALL, {b"x" * 64: 0.0}).encoding() == b"listpack"
    assert filled(SMALL, {b"x" * 65: 0.0}).encoding() == b"skiplist"
    made = filled(SMALL, {b"x" * 65: 0.0, b"y": 1.0})
    made.discard(b"x" * 65)
    assert made.encoding() == b"skiplist"


def test_minus_zero_is_zero_in_the_small_form_only() -> None:
    assert math.copysign(1, filled(SMALL, {b"a": -0.0}).score(b"a")) == 1
    assert math.copysign(1, filled(BIG, {b"a": -0.0}).score(b"a")) == -1


@pytest.mark.parametrize("limits", [SMALL, BIG])
def test_memory_is_what_is_counted(limits: Limits) -> None:
    gc.collect()
    before = memory.used()
    made = filled(limits, {b"member:%d" % n: n * 0.1 for n in range(100)})
    assert memory.used() - before == made.memory()
    made.remove_ranks(10, 90)
    assert memory.used() - before == made.memory()
    del made
    assert memory.used() == before


def test_big_sets_are_freed_in_steps() -> None:
    gc.collect()
    before = memory.used()
    made = filled(SMALL, {b"member:%d" % n: float(n) for n in range(20000)})
    assert made.free_effort() == 20000
    steps = 0
    while made.free_some():
        steps += 1
    assert steps > 100
    del made
    assert memory.used() == before


def test_small_sets_are_freed_at_once() -> None:
    made = filled(SMALL, {b"a": 1.0})
    assert made.free_effort() == 1
    assert not made.free_some()
    assert made.items() == [(b"a", 1.0)]


def test_bytes_of_the_small_form() -> None:
    made = filled(SMALL, {b"a": 1.0, b"b": 0.1, b"7": -1e30})
    data = made.packed()
    assert data is not None
    assert list(Listpack(data)) == [7, b"-1e+30", b"b", b"0.1", b"a", 1]
    again = from_packed(data, SMALL)
    assert again.items() == made.items()
    assert from_packed(data, BIG).encoding() == b"skiplist"
    assert filled(BIG, {b"a": 1.0}).packed() is None
    with pytest.raises(ValueError, match="not a listpack"):
        from_packed(data[:-1], SMALL)
    odd = Listpack()
    odd.append(b"a")
    with pytest.raises(ValueError, match="without a score"):
        from_packed(bytes(odd), SMALL)


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.dictionaries(
        members, st.integers(-(2**53), 2**53) | st.sampled_from([0.5, -2.25, 1e20, math.inf]),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_redis_has_these_bytes(redis_server: ReferenceServer, pairs: dict[bytes, float]) -> None:
    redis_server.call("CONFIG", "SET", "rdbcompression", "no")
    redis_server.call("DEL", "k")
    words = [word for member, score in pairs.items() for word in (repr(score), member)]
    redis_server.call("ZADD", "k", *words)
    payload = redis_server.call("DUMP", "k")
    assert isinstance(payload, bytes)
    made = filled(SMALL, {member: float(score) for member, score in pairs.items()})
    packed = made.packed()
    assert packed is not None
    assert payload[0] == 17
    assert packed in payload
