"""The tree of ids against a sorted list."""

from __future__ import annotations

import bisect
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.datatypes.streams.by_id import IdSet

Pair = tuple[int, int]

numbers = st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1))
pairs = st.tuples(numbers, numbers)


def agree(tree: IdSet, model: list[Pair]) -> None:
    assert tree.sound()
    assert len(tree) == len(model)
    assert tree.walk((0, 0)) == model


@given(st.lists(st.tuples(st.booleans(), pairs)), st.sampled_from([16, 32, 40, 400]))
def test_it_keeps_ids_in_order(steps: list[tuple[bool, Pair]], size: int) -> None:
    tree = IdSet(size)
    model: list[Pair] = []
    for adding, pair in steps:
        at = bisect.bisect_left(model, pair)
        there = model[at : at + 1] == [pair]
        if adding:
            assert tree.add(pair) is not there
            if not there:
                model.insert(at, pair)
        else:
            assert tree.remove(pair) is there
            if there:
                del model[at]
    agree(tree, model)


@pytest.mark.parametrize("size", [16, 40, 400])
@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
@pytest.mark.parametrize("removal", ["ascending", "descending", "random"])
def test_many_ids(size: int, order: str, removal: str) -> None:
    chance = random.Random(7)
    ids = [(i // 3, i % 3) for i in range(6000)]

    def arranged(how: str) -> list[Pair]:
        if how == "random":
            return chance.sample(ids, len(ids))
        return ids if how == "ascending" else ids[::-1]

    tree = IdSet(size)
    for pair in arranged(order):
        assert tree.add(pair)
    agree(tree, ids)
    left = set(ids)
    for count, pair in enumerate(arranged(removal)):
        assert tree.remove(pair)
        left.remove(pair)
        if count % 500 == 0:
            agree(tree, sorted(left))
    agree(tree, [])
    assert tree.memory() == 0


def test_adding_in_order_fills_leaves() -> None:
    tree = IdSet(40)
    for i in range(24_000):
        tree.add((1, i))
    assert tree.memory() < 24_000 * 40 * 1.08


def test_removing_nearly_all_gives_memory_back() -> None:
    tree = IdSet(16)
    for i in range(60_000):
        tree.add((1, i))
    for i in range(60_000):
        if i % 60:
            tree.remove((1, i))
    assert tree.sound()
    assert tree.memory() < 60_000


@given(st.lists(pairs, unique=True), pairs)
def test_walking_from_any_id(ids: list[Pair], start: Pair) -> None:
    tree = IdSet(400)
    for pair in ids:
        tree.add(pair)
    assert tree.walk(start) == sorted(pair for pair in ids if pair >= start)
    assert tree.walk(start, False) == sorted((p for p in ids if p <= start), reverse=True)
