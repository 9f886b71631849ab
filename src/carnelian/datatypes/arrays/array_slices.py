"""Slices of arrays: the elements of some thousand neighbouring indexes, dense or sparse.

A dense slice costs 8 bytes for each offset between its first and its last element, rounded up by a
third at most; a sparse one 10 bytes for each element, rounded up likewise. It is sparse as long as
it has few elements, and for as long as that takes less than 40 percent of the memory.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.arrays.array_slices import (
    NOWHERE,
    Rules,
    Slice,
    SlicePointer,
    offset_at,
    offsets_of,
    places_of,
    words_of,
)
from cython.cimports.carnelian.datatypes.arrays.words import drop, heap_memory, on_heap, twin_of
from cython.cimports.carnelian.datatypes.base.slabs import cell_memory, give, take
from cython.cimports.libc.stdint import uint16_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove, memset

# The smallest window of a dense slice.
LEAST_WINDOW = cython.declare(uint32_t, 8)


# -- Memory ----------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def roomy(count: uint32_t) -> uint32_t:
    """A power of two, or one and a half, that is not below that."""
    room: uint32_t = 1
    while room < count:
        if room >= 2 and room + (room >> 1) >= count:
            return room + (room >> 1)
        room <<= 1
    return room


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def bytes_for(room: uint32_t, dense: cython.bint) -> cython.Py_ssize_t:
    """Bytes of a slice with that room."""
    return cython.sizeof(Slice) + cython.cast(cython.Py_ssize_t, room) * (8 if dense else 10)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def size_of(slice: cython.pointer[Slice]) -> cython.Py_ssize_t:
    """Bytes of a slice as they were asked for."""
    return bytes_for(slice.room, slice.dense != 0)


def slice_memory(slice: cython.pointer[Slice]) -> cython.Py_ssize_t:
    """Bytes that a slice takes without the texts of its elements."""
    return cell_memory(slice, size_of(slice))


@cython.cfunc
@cython.exceptval(check=True)
def make(
    room: uint32_t, dense: cython.bint, start: uint32_t, version: uint16_t
) -> cython.pointer[Slice]:
    """A slice without elements; the words of a dense one are 0."""
    slice: SlicePointer = cython.cast(SlicePointer, take(bytes_for(room, dense)))
    slice.count = 0
    slice.start = start
    slice.room = room
    slice.version = version
    slice.dense = dense
    if dense:
        memset(words_of(slice), 0, cython.cast(cython.size_t, room) * 8)
    return slice


def new_slice(
    offset: uint32_t, rules: cython.pointer[cython.const[Rules]], version: uint16_t
) -> cython.pointer[Slice]:
    """A slice for a first element at an offset; raises MemoryError."""
    if rules.kmax:
        return make(1, False, 0, version)
    return make(LEAST_WINDOW, True, min(offset, rules.size - LEAST_WINDOW), version)


def free_slice(slice: cython.pointer[Slice]) -> cython.void:
    """Give a slice and its elements back."""
    words: cython.pointer[uint64_t] = words_of(slice)
    i: cython.Py_ssize_t
    for i in range(places_of(slice)):
        if on_heap(words[i]):
            drop(words[i])
    give(slice, size_of(slice))


def texts_of(slice: cython.pointer[Slice]) -> cython.Py_ssize_t:
    """Bytes that elements hold outside of a slice."""
    words: cython.pointer[uint64_t] = words_of(slice)
    held: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    for i in range(places_of(slice)):
        held += heap_memory(words[i])
    return held


def copy_of(slice: cython.pointer[Slice]) -> cython.pointer[Slice]:
    """A slice of the same elements; raises MemoryError."""
    twin: SlicePointer = make(slice.room, slice.dense != 0, slice.start, 0)
    words: cython.pointer[uint64_t] = words_of(slice)
    i: cython.Py_ssize_t
    try:
        for i in range(places_of(slice)):
            if words[i]:
                words_of(twin)[i] = twin_of(words[i])
            if not slice.dense:
                offsets_of(twin)[i] = offsets_of(slice)[i]
                twin.count += 1
    except MemoryError:
        free_slice(twin)
        raise
    twin.count = slice.count
    return twin


# -- Finding ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def rank_of(slice: cython.pointer[Slice], offset: uint32_t) -> cython.Py_ssize_t:
    """How many elements of a sparse slice are before an offset."""
    offsets: cython.pointer[uint16_t] = offsets_of(slice)
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = slice.count
    middle: cython.Py_ssize_t
    if high and offsets[high - 1] < offset:
        return high
    while low < high:
        middle = (low + high) >> 1
        if offsets[middle] < offset:
            low = middle + 1
        else:
            high = middle
    return low


def word_at(slice: cython.pointer[Slice], offset: uint32_t) -> uint64_t:
    """The element of an offset, 0 if there is none."""
    at: cython.Py_ssize_t
    if slice.dense:
        if offset < slice.start or offset - slice.start >= slice.room:
            return 0
        return words_of(slice)[offset - slice.start]
    at = rank_of(slice, offset)
    if at < slice.count and offsets_of(slice)[at] == offset:
        return words_of(slice)[at]
    return 0


def place_from(
    slice: cython.pointer[Slice], offset: uint32_t, forward: cython.bint
) -> cython.Py_ssize_t:
    """The first place from an offset on, or backwards from it; NOWHERE if there is none.

    A place of a dense slice may be free.
    """
    at: cython.Py_ssize_t
    if slice.dense:
        at = cython.cast(cython.Py_ssize_t, offset) - slice.start
        if forward:
            at = max(at, 0)
        else:
            at = min(at, cython.cast(cython.Py_ssize_t, slice.room) - 1)
    else:
        at = rank_of(slice, offset)
        if not forward and (at == slice.count or offsets_of(slice)[at] != offset):
            at -= 1
    return at if 0 <= at < places_of(slice) else NOWHERE


def last_offset(slice: cython.pointer[Slice]) -> uint32_t:
    """The highest offset that has an element, of which there is one."""
    at: cython.Py_ssize_t = places_of(slice) - 1
    while at > 0 and words_of(slice)[at] == 0:
        at -= 1
    return offset_at(slice, at)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def first_offset(slice: cython.pointer[Slice]) -> uint32_t:
    """The lowest offset that has an element, of which there is one."""
    at: cython.Py_ssize_t = 0
    while at < places_of(slice) - 1 and words_of(slice)[at] == 0:
        at += 1
    return offset_at(slice, at)


# -- Filling ---------------------------------------------------------------------------------------


def open_place(
    home: cython.pointer[SlicePointer], offset: uint32_t, rules: cython.pointer[cython.const[Rules]]
) -> cython.pointer[uint64_t]:
    """The place of the element of an offset, which is made if there is none: then it is 0.

    It is counted already, and has to be filled. The slice may move; raises MemoryError before
    anything changes.
    """
    slice: SlicePointer = home[0]
    at: cython.Py_ssize_t
    if slice.dense and is_stray(slice, offset, rules):
        to_sparse(home)
        slice = home[0]
    if not slice.dense:
        at = rank_of(slice, offset)
        if at < slice.count and offsets_of(slice)[at] == offset:
            return words_of(slice) + at
        if not is_dense(slice, offset, offset, 1, rules):
            return insert(home, at, offset)
    widen(home, offset, offset, rules)
    slice = home[0]
    if words_of(slice)[offset - slice.start] == 0:
        slice.count += 1
    return words_of(slice) + (offset - slice.start)


def open_run(
    home: cython.pointer[SlicePointer],
    low: uint32_t,
    high: uint32_t,
    rules: cython.pointer[cython.const[Rules]],
) -> cython.int:
    """Make a slice ready for elements at all of some offsets, which saves steps in between."""
    if home[0].dense or is_dense(home[0], low, high, high - low + 1, rules):
        widen(home, low, high, rules)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_dense(
    slice: cython.pointer[Slice],
    low: uint32_t,
    high: uint32_t,
    more: uint32_t,
    rules: cython.pointer[cython.const[Rules]],
) -> cython.bint:
    """Whether a sparse slice is to be dense with so many more elements at offsets."""
    count: uint32_t = slice.count + more
    if rules.kmax == 0:
        return True
    if count <= rules.kmax:
        return False
    if slice.count:
        low = min(low, offsets_of(slice)[0])
        high = max(high, offsets_of(slice)[slice.count - 1])
    # 8 bytes for each offset against 10 for each element, and twice that is not too much.
    return (high - low + 1) * 2 <= count * 5


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_stray(
    slice: cython.pointer[Slice], offset: uint32_t, rules: cython.pointer[cython.const[Rules]]
) -> cython.bint:
    """Whether an offset is so far from a dense slice that it is to be sparse with it."""
    span: uint32_t
    if offset >= slice.start and offset - slice.start < slice.room:
        return False
    if offset < slice.start:
        span = slice.start + slice.room - offset
    else:
        span = offset + 1 - slice.start
    return rules.kmax != 0 and rules.kmin != 0 and (slice.count + 1) * 5 <= span


@cython.cfunc
@cython.exceptval(check=True)
def insert(
    home: cython.pointer[SlicePointer], at: cython.Py_ssize_t, offset: uint32_t
) -> cython.pointer[uint64_t]:
    """Make a place in a sparse slice."""
    slice: SlicePointer = home[0]
    count: cython.Py_ssize_t = slice.count
    if count == slice.room:
        resize(home, roomy(slice.count + 1))
        slice = home[0]
    memmove(words_of(slice) + at + 1, words_of(slice) + at, (count - at) * 8)
    memmove(offsets_of(slice) + at + 1, offsets_of(slice) + at, (count - at) * 2)
    words_of(slice)[at] = 0
    offsets_of(slice)[at] = cython.cast(uint16_t, offset)
    slice.count += 1
    return words_of(slice) + at


@cython.cfunc
@cython.exceptval(-1)
def resize(home: cython.pointer[SlicePointer], room: uint32_t) -> cython.int:
    """Move a sparse slice to another room."""
    slice: SlicePointer = home[0]
    fresh: SlicePointer = make(room, False, 0, slice.version)
    fresh.count = slice.count
    memcpy(words_of(fresh), words_of(slice), cython.cast(cython.size_t, slice.count) * 8)
    memcpy(offsets_of(fresh), offsets_of(slice), cython.cast(cython.size_t, slice.count) * 2)
    give(slice, size_of(slice))
    home[0] = fresh
    return 0


@cython.cfunc
@cython.exceptval(-1)
def widen(
    home: cython.pointer[SlicePointer],
    low: uint32_t,
    high: uint32_t,
    rules: cython.pointer[cython.const[Rules]],
) -> cython.int:
    """Make a slice a dense one, if it is not, with places for all of some offsets."""
    slice: SlicePointer = home[0]
    start: uint32_t = low
    if slice.dense:
        if low >= slice.start and high - slice.start < slice.room:
            return 0
        low = min(low, slice.start)
        high = max(high, slice.start + slice.room - 1)
    elif slice.count:
        low = min(low, offsets_of(slice)[0])
        high = max(high, offsets_of(slice)[slice.count - 1])
    window: uint32_t = min(max(roomy(high - low + 1), LEAST_WINDOW), rules.size)
    # What is in reserve is where it grows.
    if slice.dense and start < slice.start:
        low = high - min(high, window - 1)
    return to_dense(home, min(low, rules.size - window), window)


@cython.cfunc
@cython.exceptval(-1)
def to_dense(home: cython.pointer[SlicePointer], start: uint32_t, window: uint32_t) -> cython.int:
    """Move a slice to a window that all of its elements are in."""
    slice: SlicePointer = home[0]
    fresh: SlicePointer = make(window, True, start, slice.version)
    words: cython.pointer[uint64_t] = words_of(fresh)
    first: cython.Py_ssize_t = 0
    count: cython.Py_ssize_t = slice.room
    i: cython.Py_ssize_t
    if slice.dense:
        # A window that moves back leaves out nothing but free places.
        if slice.start < start:
            first = start - slice.start
        count = min(count - first, start + window - (slice.start + first))
        memcpy(
            words + (slice.start + first - start),
            words_of(slice) + first,
            cython.cast(cython.size_t, count) * 8,
        )
    else:
        for i in range(slice.count):
            words[offsets_of(slice)[i] - start] = words_of(slice)[i]
    fresh.count = slice.count
    give(slice, size_of(slice))
    home[0] = fresh
    return 0


# -- Emptying --------------------------------------------------------------------------------------


def close_place(slice: cython.pointer[Slice], offset: uint32_t) -> uint64_t:
    """Take the element of an offset out; 0 if there is none."""
    at: cython.Py_ssize_t = place_from(slice, offset, True)
    word: uint64_t
    if at == NOWHERE or offset_at(slice, at) != offset:
        return 0
    word = words_of(slice)[at]
    if word:
        take_out(slice, at, at + 1)
    return word


def close_run(
    slice: cython.pointer[Slice],
    low: uint32_t,
    high: uint32_t,
    texts: cython.p_Py_ssize_t,
) -> cython.Py_ssize_t:
    """Drop the elements of all offsets from one to another; returns how many.

    Takes the bytes that they held off ``texts``.
    """
    first: cython.Py_ssize_t = place_from(slice, low, True)
    last: cython.Py_ssize_t = place_from(slice, high, False)
    before: cython.Py_ssize_t = slice.count
    i: cython.Py_ssize_t
    if first == NOWHERE or last == NOWHERE or first > last:
        return 0
    for i in range(first, last + 1):
        texts[0] -= heap_memory(words_of(slice)[i])
        drop(words_of(slice)[i])
    take_out(slice, first, last + 1)
    return before - slice.count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def take_out(
    slice: cython.pointer[Slice], first: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.void:
    """Free some places; what stood in them is the caller's."""
    left: cython.Py_ssize_t = places_of(slice) - end
    i: cython.Py_ssize_t
    if slice.dense:
        for i in range(first, end):
            if words_of(slice)[i]:
                words_of(slice)[i] = 0
                slice.count -= 1
        return
    memmove(words_of(slice) + first, words_of(slice) + end, left * 8)
    memmove(offsets_of(slice) + first, offsets_of(slice) + end, left * 2)
    slice.count -= cython.cast(uint32_t, end - first)


def settle(
    home: cython.pointer[SlicePointer], rules: cython.pointer[cython.const[Rules]]
) -> cython.int:
    """Give a slice that has lost elements, not all, the form that it is to have now.

    Only what it no longer needs is given back: nothing goes wrong if there is no memory for that.
    """
    slice: SlicePointer = home[0]
    try:
        if not slice.dense:
            if slice.count * 4 <= slice.room:
                resize(home, roomy(slice.count))
        elif is_sparse(slice, rules):
            to_sparse(home)
        elif slice.room > LEAST_WINDOW and slice.count * 4 <= slice.room:
            shrink(home, rules)
    except MemoryError:
        pass
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_sparse(
    slice: cython.pointer[Slice], rules: cython.pointer[cython.const[Rules]]
) -> cython.bint:
    """Whether a dense slice is to be sparse."""
    if rules.kmax == 0 or rules.kmin == 0:
        return False
    if slice.count <= rules.kmin:
        return bytes_for(roomy(slice.count), False) < bytes_for(slice.room, True)
    # So many places that a sparse one takes a quarter of it.
    return cython.cast(uint64_t, slice.count) * 5 <= slice.room


@cython.cfunc
@cython.exceptval(-1)
def to_sparse(home: cython.pointer[SlicePointer]) -> cython.int:
    """Move a dense slice to pairs of offsets and words."""
    slice: SlicePointer = home[0]
    fresh: SlicePointer = make(roomy(slice.count), False, 0, slice.version)
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    for i in range(slice.room):
        if words_of(slice)[i]:
            words_of(fresh)[at] = words_of(slice)[i]
            offsets_of(fresh)[at] = cython.cast(uint16_t, slice.start + i)
            at += 1
    fresh.count = slice.count
    give(slice, size_of(slice))
    home[0] = fresh
    return 0


@cython.cfunc
@cython.exceptval(-1)
def shrink(
    home: cython.pointer[SlicePointer], rules: cython.pointer[cython.const[Rules]]
) -> cython.int:
    """Move a dense slice to a window half as large, if its elements fit one."""
    slice: SlicePointer = home[0]
    first: uint32_t = first_offset(slice)
    window: uint32_t = max(roomy(last_offset(slice) - first + 1), LEAST_WINDOW)
    if window * 2 > slice.room:
        return 0
    return to_dense(home, min(first, rules.size - window), window)
