"""Going through the elements of a range of an array, in either direction."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.arrays.array_slices import (
    NOWHERE,
    offset_at,
    place_from,
    places_of,
    words_of,
)
from cython.cimports.carnelian.datatypes.arrays.array_walk import Walk
from cython.cimports.carnelian.datatypes.arrays.slice_index import (
    Index,
    SeatPointer,
    seat_at,
    seek,
    step,
)
from cython.cimports.libc.stdint import uint32_t, uint64_t


def begin_walk(
    walk: cython.pointer[Walk],
    index: cython.pointer[Index],
    shift: cython.int,
    start: uint64_t,
    end: uint64_t,
) -> cython.void:
    """Begin to go from an index of an array to another, backwards if that is below it.

    The array must not change, nor go, before the end.
    """
    walk.forward = start <= end
    walk.low = start if walk.forward else end
    walk.high = end if walk.forward else start
    walk.index = index
    walk.shift = shift
    walk.slice = cython.NULL
    walk.more = seek(index, start >> shift, walk.forward, cython.address(walk.place))


def walk_on(
    walk: cython.pointer[Walk], index: cython.pointer[uint64_t], word: cython.pointer[uint64_t]
) -> cython.bint:
    """The next element and its index; returns whether there is one. O(free places passed)."""
    while True:
        if walk.slice is cython.NULL and not enter(walk):
            return False
        while 0 <= walk.at < places_of(walk.slice):
            word[0] = words_of(walk.slice)[walk.at]
            index[0] = walk.base + offset_at(walk.slice, walk.at)
            walk.at += 1 if walk.forward else -1
            if word[0]:
                if walk.low <= index[0] <= walk.high:
                    return True
                walk.more = False
                return False
        leave(walk)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def enter(walk: cython.pointer[Walk]) -> cython.bint:
    """Go to the first element of the next slice; returns whether there is one in the range."""
    seat: SeatPointer
    first: uint64_t
    last: uint64_t
    while walk.more:
        seat = seat_at(walk.index, cython.address(walk.place))
        walk.base = seat.number << walk.shift
        last = walk.base + ((cython.cast(uint64_t, 1) << walk.shift) - 1)
        if walk.base > walk.high or last < walk.low:
            walk.more = False
            return False
        if walk.forward:
            first = max(walk.low, walk.base)
        else:
            first = min(walk.high, last)
        walk.at = place_from(seat.slice, cython.cast(uint32_t, first - walk.base), walk.forward)
        if walk.at != NOWHERE:
            walk.slice = seat.slice
            return True
        leave(walk)
    return False


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def leave(walk: cython.pointer[Walk]) -> cython.void:
    """Turn to the next slice."""
    walk.slice = cython.NULL
    walk.more = walk.more and step(walk.index, walk.forward, cython.address(walk.place))
