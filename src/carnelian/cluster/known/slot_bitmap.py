"""Sets of slots: bitmaps of 2,048 immutable bytes, as they stand in messages, and integers.

Slot ``s`` is bit ``s & 7`` of byte ``s >> 3``, so that a bitmap read as a little-endian integer has
slot ``s`` at bit ``s``. Bitmaps that are equal are one object where that can be had cheaply: a
process with many views of a cluster has each of them once.
"""

from __future__ import annotations

from collections.abc import Iterable

import cython

SLOTS = 16384
BITMAP_BYTES = SLOTS // 8
NO_SLOTS = bytes(BITMAP_BYTES)
ALL_SLOTS = b"\xff" * BITMAP_BYTES

# So few bits are set or found in an integer sooner than in an array.
_FEW = 5
# How many different bitmaps are remembered; a cluster has about as many as it has primaries.
_MOST_SHARED = 4096
_shared: dict[bytes, bytes] = {NO_SLOTS: NO_SLOTS}


def shared(bitmap: bytes) -> bytes:
    """The bitmap, as the object that others have who know it."""
    if len(_shared) > _MOST_SHARED:
        _shared.clear()
        _shared[NO_SLOTS] = NO_SLOTS
    return _shared.setdefault(bitmap, bitmap)


def mask_of(bitmap: bytes | bytearray) -> int:
    """The set as an integer with a bit for each slot."""
    return int.from_bytes(bitmap, "little")


def bitmap_of(mask: int) -> bytes:
    """The set as a bitmap."""
    return shared(mask.to_bytes(BITMAP_BYTES, "little"))


def mask_of_slots(slots: Iterable[int]) -> int:
    """The set of some slots."""
    chosen = list(slots)
    if len(chosen) < _FEW:
        mask = 0
        for slot in chosen:
            mask |= 1 << slot
        return mask
    return mask_of(_with_bits(NO_SLOTS, chosen))


def with_slots(bitmap: bytes, slots: Iterable[int]) -> bytes:
    """A set and some slots."""
    return shared(bytes(_with_bits(bitmap, slots)))


def _with_bits(bitmap: bytes, slots: Iterable[int]) -> bytearray:
    bits = bytearray(bitmap)
    for slot in slots:
        bits[slot >> 3] |= 1 << (slot & 7)
    return bits


def without_slots(bitmap: bytes, slots: Iterable[int]) -> bytes:
    """A set without some slots."""
    bits = bytearray(bitmap)
    for slot in slots:
        bits[slot >> 3] &= ~(1 << (slot & 7))
    return shared(bytes(bits))


def has_slot(bitmap: bytes, slot: int) -> bool:
    """Whether a slot is in a set."""
    return bool(bitmap[slot >> 3] >> (slot & 7) & 1)


def slots_in(bitmap: bytes) -> list[int]:
    """The slots of a set, in order."""
    return [slot for first, last in ranges_of(bitmap) for slot in range(first, last + 1)]


def slots_in_mask(mask: int) -> list[int]:
    """The slots of a set, in order."""
    if mask.bit_count() < _FEW:
        few = []
        while mask:
            lowest = mask & -mask
            few.append(lowest.bit_length() - 1)
            mask ^= lowest
        return few
    return slots_in(mask.to_bytes(BITMAP_BYTES, "little"))


def ranges_in(mask: int) -> list[tuple[int, int]]:
    """The slots of a set as ranges, from the first slot of each to its last."""
    return ranges_of(mask.to_bytes(BITMAP_BYTES, "little"))


def ranges_of(bitmap: bytes) -> list[tuple[int, int]]:
    """The slots of a set as ranges, from the first slot of each to its last."""
    ranges = []
    first: cython.int = -1
    slot: cython.int
    byte: cython.int
    at: cython.int
    for at in range(len(bitmap)):
        byte = bitmap[at]
        # Most bytes go on as the one before has ended.
        if byte == (0 if first < 0 else 0xFF):
            continue
        for slot in range(8 * at, 8 * at + 8):
            if byte >> (slot & 7) & 1:
                if first < 0:
                    first = slot
            elif first >= 0:
                ranges.append((first, slot - 1))
                first = -1
    if first >= 0:
        ranges.append((first, 8 * len(bitmap) - 1))
    return ranges
