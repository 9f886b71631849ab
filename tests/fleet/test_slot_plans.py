"""Which slots move: evenly, and no more than have to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.tools.fleet.planning.slot_plans import (
    SLOTS,
    Transfer,
    even_targets,
    first_layout,
    in_words,
    plan_drain,
    plan_rebalance,
    ranges,
)

Owned = dict[str, set[int]]


@st.composite
def owned_slots(draw: st.DrawFn, least: int = 1) -> Owned:
    """Slots of some primaries, in runs and alone; some may have none, and some belong to nobody."""
    names = [f"n{number}" for number in range(draw(st.integers(least, 7)))]
    edges = sorted(draw(st.lists(st.integers(0, 200), max_size=20)))
    owned: Owned = {name: set() for name in names}
    for first, end in itertools.pairwise([0, *edges, 200]):
        owner = draw(st.sampled_from([*names, ""]))
        if owner:
            owned[owner] |= set(range(first, end))
    return owned


def apply(owned: Owned, transfers: list[Transfer]) -> Owned:
    """The slots after transfers, each of which has to be possible."""
    after = {name: set(slots) for name, slots in owned.items()}
    for source, destination, slots in transfers:
        assert slots
        assert source != destination
        assert set(slots) <= after[source]
        after[source] -= set(slots)
        after[destination] |= set(slots)
    return after


def moved(transfers: list[Transfer]) -> list[int]:
    return [slot for transfer in transfers for slot in transfer.slots]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 1000])
def test_the_first_layout_has_every_slot_once(count: int) -> None:
    layout = first_layout([str(number) for number in range(count)])
    assert list(itertools.chain(*layout.values())) == list(range(SLOTS))
    sizes = [len(slots) for slots in layout.values()]
    assert max(sizes) - min(sizes) <= 1


@given(owned_slots())
def test_a_rebalance_ends_even(owned: Owned) -> None:
    after = apply(owned, plan_rebalance(owned))
    sizes = [len(slots) for slots in after.values()]
    assert max(sizes) - min(sizes) <= 1
    assert set().union(*after.values()) == set().union(*owned.values())


@given(owned_slots())
def test_a_rebalance_moves_no_more_than_has_to_be(owned: Owned) -> None:
    """Whoever is to have more than the even share, nothing needs fewer moves."""
    share, rest = divmod(sum(map(len, owned.values())), len(owned))
    fewest = min(
        sum(max(0, len(slots) - share - (name in lucky)) for name, slots in owned.items())
        for lucky in itertools.combinations(owned, rest)
    )
    slots = moved(plan_rebalance(owned))
    assert len(slots) == len(set(slots)) == fewest


@given(owned_slots())
def test_a_rebalance_has_few_transfers_and_nothing_to_do_afterwards(owned: Owned) -> None:
    transfers = plan_rebalance(owned)
    assert len(transfers) < len(owned)
    assert plan_rebalance(apply(owned, transfers)) == []


@given(owned_slots())
def test_targets_are_all_there_is(owned: Owned) -> None:
    assert sum(even_targets(owned).values()) == sum(map(len, owned.values()))


@given(owned_slots(least=2), st.data())
def test_a_drain_takes_all_from_those_who_leave_and_nothing_else(
    owned: Owned, data: st.DataObject
) -> None:
    leaving = data.draw(st.sets(st.sampled_from(sorted(owned)), max_size=len(owned) - 1))
    transfers = plan_drain(owned, leaving)
    assert sorted(moved(transfers)) == sorted(set().union(*(owned[name] for name in leaving)))
    after = apply(owned, transfers)
    assert not any(after[name] for name in leaving)


@given(owned_slots(least=2))
def test_a_drain_fills_those_who_have_least(owned: Owned) -> None:
    leaving = {sorted(owned)[0]}
    after = apply(owned, plan_drain(owned, leaving))
    raised = [name for name in after if name not in leaving and after[name] != owned[name]]
    others = [name for name in after if name not in leaving and name not in raised]
    if raised:
        levels = [len(after[name]) for name in raised]
        assert max(levels) - min(levels) <= 1
        assert all(len(after[name]) >= max(levels) - 1 for name in others)


def test_nobody_left_takes_slots() -> None:
    with pytest.raises(ValueError):
        plan_drain({"a": {1}}, {"a"})


def test_nothing_of_nothing() -> None:
    assert plan_rebalance({}) == []


def test_a_new_shard_gets_its_share_of_each() -> None:
    layout = first_layout("abc")
    transfers = plan_rebalance({**{name: set(slots) for name, slots in layout.items()}, "d": ()})
    assert [(t.source, t.destination, len(t.slots)) for t in transfers] == [
        ("a", "d", 1365),
        ("b", "d", 1365),
        ("c", "d", 1366),
    ]


@given(st.sets(st.integers(0, 60)))
def test_ranges_are_the_slots(slots: set[int]) -> None:
    found = ranges(slots)
    assert [s for first, last in found for s in range(first, last + 1)] == sorted(slots)
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(found))


def test_slots_in_words() -> None:
    assert in_words([1, 2, 3, 7, 9, 10]) == "1-3 7 9-10"
    assert in_words([1, 3, 5, 7, 9]) == "1 3 5 +2"
    assert in_words([]) == ""
