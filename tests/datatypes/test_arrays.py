"""The array against a dict, with slices of all kinds, and what its memory is said to be."""

from __future__ import annotations

import gc
import random

import pytest

from carnelian.datatypes.arrays.array import Array
from carnelian.datatypes.base import memory
from carnelian.datatypes.base.digest import Digest
from carnelian.datatypes.base.limits import Limits

HIGHEST = 2**64 - 2
TEXTS = [
    b"", b"1", b"-5", b"abc", b"1234567", b"12345678", b"3.5", b"3.14159", b"0.1", b"1.0", b"-0.0",
    b"00", b"1e5", b"x" * 300, b"4611686018427387904", b"2305843009213693951",
    b"2305843009213693952", b"-2305843009213693952", b"-2305843009213693953", b"1.", b".5", b"-",
    b"\x00\xff", b"100000000000000000000.0", b"0.00001", b"inf", b"nan", b"9" * 40 + b".5",
    b"y" * 254, b"y" * 255, b"z" * 1100,
]  # fmt: skip
# Where indexes are, as a start and how many.
NEAR = [(0, 300)]
APART = [(0, 300), (4090, 20)]
WIDE = [(0, 10**6)]
FAR = [(0, 100), (2**40, 10**9), (2**64 - 1000, 999)]
ANYWHERE = [(0, HIGHEST)]
# What the slabs keep of the addresses of empty ones, which is allocated once.
SLACK = 8 * 1024


def limits_of(size: int = 4096, kmax: int = 10, kmin: int = 5) -> Limits:
    limits = Limits()
    limits.array_slice_size = size
    limits.array_sparse_kmax = kmax
    limits.array_sparse_kmin = kmin
    return limits


class AgainstDict:
    """Random changes on an array and a dict."""

    def __init__(self, seed: int, limits: Limits, spans: list[tuple[int, int]]):
        self.dice = random.Random(seed)
        self.limits = limits
        self.spans = spans
        self.array = Array(limits)
        self.model: dict[int, bytes] = {}

    def index(self) -> int:
        start, count = self.dice.choice(self.spans)
        return min(start + self.dice.randrange(count), HIGHEST)

    def set(self) -> None:
        index, text = self.index(), self.dice.choice(TEXTS)
        assert self.array.set(self.limits, index, text) == (index not in self.model)
        self.model[index] = text

    def set_run(self) -> None:
        index = self.index()
        count = min(self.dice.choice([1, 2, 5, 30, 700]), HIGHEST + 1 - index)
        texts = [self.dice.choice(TEXTS) for _ in range(count)]
        fresh = {index + i: text for i, text in enumerate(texts)}
        added = len(fresh.keys() - self.model.keys())
        assert self.array.set_run(self.limits, index, [b"", *texts], 1) == added
        self.model.update(fresh)

    def remove(self) -> None:
        known = self.model and self.dice.random() < 0.8
        index = self.dice.choice(list(self.model)) if known else self.index()
        assert self.array.remove(self.limits, index) == (index in self.model)
        self.model.pop(index, None)

    def remove_range(self) -> None:
        low = self.index()
        high = min(low + self.dice.choice([0, 5, 300, 5000, 10**7]), HIGHEST)
        gone = [index for index in self.model if low <= index <= high]
        assert self.array.remove_range(self.limits, low, high) == len(gone)
        for index in gone:
            del self.model[index]

    def get(self) -> None:
        index = self.index()
        assert self.array.get(index) == self.model.get(index)

    def items(self) -> None:
        start, end, most = self.index(), self.index(), self.dice.choice([1, 10, 10**9])
        low, high = min(start, end), max(start, end)
        found = sorted((k, v) for k, v in self.model.items() if low <= k <= high)
        if start > end:
            found.reverse()
        assert self.array.items(start, end, most) == found[:most]

    def run(self, steps: int) -> None:
        rules = [self.set] * 4 + [self.set_run] + [self.remove] * 3 + [self.get, self.items]
        for _ in range(steps):
            self.dice.choice(rules)()
            if self.dice.random() < 0.05:
                self.remove_range()
            assert self.array.count == len(self.model)
            assert self.array.length == (max(self.model) + 1 if self.model else 0)
        assert dict(self.array.items(0, HIGHEST, 10**9)) == self.model


@pytest.mark.parametrize("spans", [NEAR, APART, WIDE, FAR, ANYWHERE])
@pytest.mark.parametrize("rules", [(4096, 10, 5), (256, 6, 3), (256, 0, 0), (1024, 10, 0)])
def test_an_array_is_as_a_dict(rules: tuple[int, int, int], spans: list[tuple[int, int]]) -> None:
    for seed in range(3):
        gc.collect()
        before = memory.used()
        both = AgainstDict(seed, limits_of(*rules), spans)
        both.run(700)
        held = memory.used() - before
        assert both.array.memory() <= held <= both.array.memory() + SLACK
        copy = both.array.copy()
        assert copy.items(0, HIGHEST, 10**9) == both.array.items(0, HIGHEST, 10**9)
        assert digest(copy) == digest(both.array)
        del both, copy
        assert 0 <= memory.used() - before <= SLACK


def digest(array: Array) -> bytes:
    taken = Digest()
    array.digest(taken)
    return taken.value()


def test_few_bytes_are_spent() -> None:
    limits = limits_of()
    dense, sparse, apart = Array(limits), Array(limits), Array(limits)
    numbers = [b"%d" % number for number in range(100_000)]
    dense.set_run(limits, 0, numbers, 0)
    for index in range(0, 10_000_000, 100):
        sparse.set(limits, index, b"7")
    for index in range(0, 10_000 * 2**40, 2**40):
        apart.set(limits, index, b"7")
    assert dense.memory() / 100_000 < 8.3
    assert sparse.memory() / 100_000 < 13
    assert apart.memory() / 10_000 < 60


def test_slices_change_their_form_and_back() -> None:
    limits = limits_of()
    array = Array(limits)
    for index in range(11):
        array.set(limits, index, b"x")
    assert array.figures()[b"dense-slices"] == 1
    for index in range(11, 60):
        array.set(limits, index, b"x")
    for index in range(60, 3, -1):
        array.remove(limits, index)
    assert array.figures()[b"sparse-slices"] == 1
    # One far away does not make it a large dense one.
    for index in range(40):
        array.set(limits, index, b"x")
    assert array.figures()[b"dense-slices"] == 1
    array.set(limits, 4000, b"x")
    assert array.figures()[b"sparse-slices"] == 1
    assert array.memory() < 1000


def test_a_large_array_is_freed_in_steps() -> None:
    limits = limits_of()
    array = Array(limits)
    for index in range(0, 4096 * 100, 7):
        array.set(limits, index, b"a rather long text")
    assert array.free_effort() > 50_000
    steps = 0
    while array.free_some():
        steps += 1
    assert steps > 20
    assert array.memory() < 1000 + 112
