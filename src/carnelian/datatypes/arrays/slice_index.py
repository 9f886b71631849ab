"""Where the slices of an array are: their numbers in order, in leaves of some hundred.

To find one takes a search among the leaves and one in a leaf, or no search at all where the numbers
of a leaf follow one another; to add one moves a part of a leaf, and once in a hundred times or more
the row of leaves, of which there is one for some hundred slices. A slice takes 16 bytes here, and
up to twice that where slices came in no order.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.arrays.array_slices import Slice
from cython.cimports.carnelian.datatypes.arrays.slice_index import (
    LEAF_SEATS,
    Index,
    Leaf,
    LeafPointer,
    Place,
    Seat,
    SeatPointer,
    Shelf,
    seats_of,
)
from cython.cimports.carnelian.datatypes.base.slabs import cell_memory, give, take
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove

# Leaves that have no more than so many together become one.
MERGED = cython.declare(uint32_t, 128)


# -- Finding ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def shelf_of(index: cython.pointer[Index], number: uint64_t) -> cython.Py_ssize_t:
    """The last leaf that begins with a number not above that; -1 if all are above."""
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = index.count
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high) >> 1
        if index.shelves[middle].first <= number:
            low = middle + 1
        else:
            high = middle
    return low - 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def rank_in(leaf: cython.pointer[Leaf], number: uint64_t) -> cython.Py_ssize_t:
    """How many seats of a leaf are before a number, which is not before the first."""
    seats: SeatPointer = seats_of(leaf)
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = leaf.count
    middle: cython.Py_ssize_t
    if number - seats[0].number < leaf.count:
        # Numbers rise, so that it can stand no later than it does where none is left out.
        middle = cython.cast(cython.Py_ssize_t, number - seats[0].number)
        if seats[middle].number == number:
            return middle
        high = middle
    elif seats[high - 1].number < number:
        return high
    while low < high:
        middle = (low + high) >> 1
        if seats[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return low


def find(index: cython.pointer[Index], number: uint64_t) -> cython.pointer[Seat]:
    """The seat of a number; NULL if there is none."""
    shelf: cython.Py_ssize_t = shelf_of(index, number)
    leaf: LeafPointer
    at: cython.Py_ssize_t
    if shelf < 0:
        return cython.NULL
    leaf = index.shelves[shelf].leaf
    at = rank_in(leaf, number)
    if at < leaf.count and seats_of(leaf)[at].number == number:
        return seats_of(leaf) + at
    return cython.NULL


def seek(
    index: cython.pointer[Index],
    number: uint64_t,
    forward: cython.bint,
    place: cython.pointer[Place],
) -> cython.bint:
    """Find the first seat from a number on, or backwards from it; returns whether there is one."""
    shelf: cython.Py_ssize_t = shelf_of(index, number)
    leaf: LeafPointer
    if shelf < 0:
        place.shelf = place.seat = 0
        return forward and index.count > 0
    leaf = index.shelves[shelf].leaf
    place.shelf = shelf
    place.seat = rank_in(leaf, number)
    if place.seat < leaf.count and seats_of(leaf)[place.seat].number == number:
        return True
    if not forward:
        # There is one before: the first of the leaf is not above the number.
        place.seat -= 1
        return True
    if place.seat == leaf.count:
        place.shelf += 1
        place.seat = 0
    return place.shelf < index.count


def step(
    index: cython.pointer[Index], forward: cython.bint, place: cython.pointer[Place]
) -> cython.bint:
    """Go on to the next seat or the one before; returns whether there is one."""
    if forward:
        place.seat += 1
        if place.seat == index.shelves[place.shelf].leaf.count:
            place.shelf += 1
            place.seat = 0
        return place.shelf < index.count
    if place.seat == 0:
        if place.shelf == 0:
            return False
        place.shelf -= 1
        place.seat = index.shelves[place.shelf].leaf.count
    place.seat -= 1
    return True


def last_seat(index: cython.pointer[Index]) -> cython.pointer[Seat]:
    """The seat of the highest number; NULL if there is none."""
    leaf: LeafPointer
    if index.count == 0:
        return cython.NULL
    leaf = index.shelves[index.count - 1].leaf
    return seats_of(leaf) + (leaf.count - 1)


# -- Changing --------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def leaf_size(room: uint32_t) -> cython.Py_ssize_t:
    """Bytes of a leaf."""
    return cython.sizeof(Leaf) + cython.cast(cython.Py_ssize_t, room) * cython.sizeof(Seat)


@cython.cfunc
@cython.exceptval(check=True)
def make_leaf(room: uint32_t) -> cython.pointer[Leaf]:
    """A leaf without seats."""
    leaf: LeafPointer = cython.cast(LeafPointer, take(leaf_size(room)))
    leaf.count = 0
    leaf.room = room
    return leaf


@cython.cfunc
@cython.exceptval(-1)
def resize_leaf(shelf: cython.pointer[Shelf], room: uint32_t) -> cython.int:
    """Move the leaf of a shelf to another room."""
    leaf: LeafPointer = shelf.leaf
    fresh: LeafPointer = make_leaf(room)
    fresh.count = leaf.count
    memcpy(seats_of(fresh), seats_of(leaf), leaf.count * cython.sizeof(Seat))
    give(leaf, leaf_size(leaf.room))
    shelf.leaf = fresh
    return 0


def insert(
    index: cython.pointer[Index], number: uint64_t, slice: cython.pointer[Slice]
) -> cython.pointer[Seat]:
    """Add the slice of a number that is not there; raises MemoryError with nothing changed."""
    shelf: cython.Py_ssize_t = max(shelf_of(index, number), 0)
    leaf: LeafPointer
    at: cython.Py_ssize_t
    if index.count == 0:
        open_shelf(index, 0, make_leaf(1))
    leaf = index.shelves[shelf].leaf
    if leaf.count == LEAF_SEATS:
        shelf = split(index, shelf, number)
        leaf = index.shelves[shelf].leaf
    if leaf.count == leaf.room:
        resize_leaf(index.shelves + shelf, min(leaf.room + (leaf.room >> 1) + 1, LEAF_SEATS))
        leaf = index.shelves[shelf].leaf
    at = 0
    if leaf.count and seats_of(leaf)[0].number < number:
        at = rank_in(leaf, number)
    memmove(seats_of(leaf) + at + 1, seats_of(leaf) + at, (leaf.count - at) * cython.sizeof(Seat))
    seats_of(leaf)[at].number = number
    seats_of(leaf)[at].slice = slice
    leaf.count += 1
    index.shelves[shelf].first = seats_of(leaf)[0].number
    index.slices += 1
    return seats_of(leaf) + at


@cython.cfunc
@cython.exceptval(-1)
def open_shelf(
    index: cython.pointer[Index], at: cython.Py_ssize_t, leaf: cython.pointer[Leaf]
) -> cython.int:
    """Put a leaf into the row; gives it back if there is no memory for that."""
    room: cython.Py_ssize_t = index.room + (index.room >> 1) + 1
    fresh: cython.pointer[Shelf]
    if index.count == index.room:
        try:
            fresh = cython.cast(cython.pointer[Shelf], take(room * cython.sizeof(Shelf)))
        except MemoryError:
            give(leaf, leaf_size(leaf.room))
            raise
        if index.room:
            memcpy(fresh, index.shelves, index.count * cython.sizeof(Shelf))
            give(index.shelves, index.room * cython.sizeof(Shelf))
        index.shelves = fresh
        index.room = room
    memmove(index.shelves + at + 1, index.shelves + at, (index.count - at) * cython.sizeof(Shelf))
    index.shelves[at].leaf = leaf
    index.shelves[at].first = seats_of(leaf)[0].number if leaf.count else 0
    index.count += 1
    return 0


@cython.cfunc
@cython.exceptval(-1)
def split(
    index: cython.pointer[Index], shelf: cython.Py_ssize_t, number: uint64_t
) -> cython.Py_ssize_t:
    """Divide a full leaf; returns which one the number belongs to.

    One that grows at its end leaves all that it has behind.
    """
    leaf: LeafPointer = index.shelves[shelf].leaf
    kept: uint32_t = LEAF_SEATS // 2
    fresh: LeafPointer
    if seats_of(leaf)[leaf.count - 1].number < number:
        kept = LEAF_SEATS
    fresh = make_leaf(LEAF_SEATS - kept if kept < LEAF_SEATS else 8)
    fresh.count = LEAF_SEATS - kept
    memcpy(seats_of(fresh), seats_of(leaf) + kept, fresh.count * cython.sizeof(Seat))
    open_shelf(index, shelf + 1, fresh)
    leaf.count = kept
    if fresh.count == 0:
        # Until it has a seat: so that a search finds it.
        index.shelves[shelf + 1].first = number
        return shelf + 1
    return shelf + 1 if index.shelves[shelf + 1].first <= number else shelf


def remove(index: cython.pointer[Index], place: cython.pointer[Place]) -> cython.void:
    """Take a seat out. The place is that of the seat behind it then."""
    shelf: cython.pointer[Shelf] = index.shelves + place.shelf
    leaf: LeafPointer = shelf.leaf
    leaf.count -= 1
    index.slices -= 1
    memmove(
        seats_of(leaf) + place.seat,
        seats_of(leaf) + place.seat + 1,
        (leaf.count - place.seat) * cython.sizeof(Seat),
    )
    if leaf.count == 0:
        close_shelf(index, place.shelf)
        return
    shelf.first = seats_of(leaf)[0].number
    try:
        tidy(index, place.shelf)
    except MemoryError:
        pass
    if place.seat == index.shelves[place.shelf].leaf.count:
        place.shelf += 1
        place.seat = 0


@cython.cfunc
@cython.exceptval(-1)
def tidy(index: cython.pointer[Index], at: cython.Py_ssize_t) -> cython.int:
    """Take the next leaf into one that has lost a seat, or give back what it no longer needs."""
    shelf: cython.pointer[Shelf] = index.shelves + at
    next_leaf: LeafPointer
    together: uint32_t
    if at + 1 < index.count:
        next_leaf = index.shelves[at + 1].leaf
        together = shelf.leaf.count + next_leaf.count
        if together <= MERGED:
            resize_leaf(shelf, together)
            memcpy(
                seats_of(shelf.leaf) + shelf.leaf.count,
                seats_of(next_leaf),
                next_leaf.count * cython.sizeof(Seat),
            )
            shelf.leaf.count = together
            close_shelf(index, at + 1)
            return 0
    if shelf.leaf.count * 4 <= shelf.leaf.room:
        resize_leaf(shelf, shelf.leaf.count + (shelf.leaf.count >> 1))
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def close_shelf(index: cython.pointer[Index], at: cython.Py_ssize_t) -> cython.void:
    """Take a leaf out of the row."""
    leaf: LeafPointer = index.shelves[at].leaf
    give(leaf, leaf_size(leaf.room))
    index.count -= 1
    memmove(index.shelves + at, index.shelves + at + 1, (index.count - at) * cython.sizeof(Shelf))
    if index.count == 0:
        give(index.shelves, index.room * cython.sizeof(Shelf))
        index.shelves = cython.NULL
        index.room = 0


def index_memory(index: cython.pointer[Index]) -> cython.Py_ssize_t:
    """Bytes of the index without the slices."""
    held: cython.Py_ssize_t = 0
    leaf: LeafPointer
    i: cython.Py_ssize_t
    if index.room:
        held = cell_memory(index.shelves, index.room * cython.sizeof(Shelf))
    for i in range(index.count):
        leaf = index.shelves[i].leaf
        held += cell_memory(leaf, leaf_size(leaf.room))
    return held


def free_index(index: cython.pointer[Index]) -> cython.void:
    """Give all leaves back; the slices are the caller's."""
    while index.count:
        close_shelf(index, index.count - 1)
    index.slices = 0
