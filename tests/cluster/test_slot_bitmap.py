"""Sets of slots: as bitmaps, as integers, as ranges."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from carnelian.cluster.known.slot_bitmap import (
    ALL_SLOTS,
    NO_SLOTS,
    SLOTS,
    bitmap_of,
    has_slot,
    mask_of,
    mask_of_slots,
    ranges_in,
    slots_in,
    slots_in_mask,
    with_slots,
    without_slots,
)

SETS = [
    [],
    [0],
    [SLOTS - 1],
    [3, 4, 8000, SLOTS - 1],
    [0, 1, 2, 9000, SLOTS - 2, SLOTS - 1],
    list(range(0, SLOTS, 2)),
    list(range(1, SLOTS, 2)),
    list(range(SLOTS)),
    list(range(5000, 12000)),
    sorted(Random(1).sample(range(SLOTS), 100)),
    sorted(Random(2).sample(range(SLOTS), 9000)),
]


@pytest.mark.parametrize("slots", SETS, ids=range(len(SETS)))
def test_a_set_is_the_same_in_every_form(slots: list[int]) -> None:
    mask = mask_of_slots(slots)
    assert slots_in_mask(mask) == slots
    assert slots_in(bitmap_of(mask)) == slots
    assert mask_of(bitmap_of(mask)) == mask
    assert [slot for slot in range(SLOTS) if has_slot(bitmap_of(mask), slot)] == slots


@pytest.mark.parametrize("slots", SETS, ids=range(len(SETS)))
def test_ranges_are_as_long_as_can_be(slots: list[int]) -> None:
    ranges = ranges_in(mask_of_slots(slots))
    assert [slot for first, last in ranges for slot in range(first, last + 1)] == slots
    for (_, last), (first, _) in pairwise(ranges):
        assert first > last + 1


@pytest.mark.parametrize("slots", SETS, ids=range(len(SETS)))
def test_slots_come_and_go(slots: list[int]) -> None:
    bitmap = bitmap_of(mask_of_slots(slots))
    assert with_slots(NO_SLOTS, slots) == bitmap
    assert with_slots(bitmap, slots) == bitmap
    assert with_slots(bitmap, range(SLOTS)) == ALL_SLOTS
    assert without_slots(bitmap, slots) == NO_SLOTS
    assert without_slots(NO_SLOTS, slots) == NO_SLOTS
    assert slots_in(without_slots(ALL_SLOTS, slots)) == sorted({*range(SLOTS)} - {*slots})


def test_equal_bitmaps_are_one_object() -> None:
    assert with_slots(NO_SLOTS, [7, 8]) is bitmap_of(mask_of_slots([7, 8]))
    assert without_slots(with_slots(NO_SLOTS, [7, 8]), [7, 8]) is NO_SLOTS
