"""Intsets: sorted 64-bit integers in one run of bytes, the compact form of small sets of numbers.

The bytes are those of Redis: the width of a number (2, 4 or 8) and how many there are, in four
bytes each, then the numbers in ascending order, all little endian. The width is that of the widest
number there ever was.

:class:`carnelian.datatypes.collections.set.Set` is what Python sees of them.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.slabs import capacity, cell_memory, give, retake, take
from cython.cimports.carnelian.datatypes.packs.intset import Bytes, Ints
from cython.cimports.libc.stdint import int16_t, int32_t, int64_t, uint32_t
from cython.cimports.libc.string import memcpy, memmove

HEADER = cython.declare(cython.Py_ssize_t, 8)


# -- Memory and header ---------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def word(ints: Bytes, index: cython.int) -> uint32_t:
    """One of the two words of the header: 0 the width, 1 the count."""
    value = cython.declare(uint32_t)
    memcpy(cython.address(value), ints + 4 * index, 4)
    return value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_word(ints: Ints, index: cython.int, value: uint32_t) -> cython.void:
    memcpy(ints + 4 * index, cython.address(value), 4)


def count_of(ints: Bytes) -> cython.Py_ssize_t:
    """How many numbers there are."""
    return word(ints, 1)


def total_of(ints: Bytes) -> cython.Py_ssize_t:
    """The bytes of the intset, its header included."""
    return HEADER + cython.cast(cython.Py_ssize_t, word(ints, 0)) * word(ints, 1)


def memory_of(ints: Bytes) -> cython.Py_ssize_t:
    """The bytes it holds."""
    return cell_memory(ints, capacity(total_of(ints)))


def create() -> Ints:
    """An empty intset; raises MemoryError."""
    ints: Ints = cython.cast(Ints, take(capacity(HEADER)))
    set_word(ints, 0, 2)
    set_word(ints, 1, 0)
    return ints


def from_text(data: cython.p_const_char, length: cython.Py_ssize_t) -> Ints:
    """An intset of those bytes; raises ValueError if they are none. O(numbers)."""
    source: Bytes = cython.cast(Bytes, data)
    index: cython.Py_ssize_t
    if length < HEADER or word(source, 0) not in (2, 4, 8) or total_of(source) != length:
        raise ValueError("not an intset")
    for index in range(1, count_of(source)):
        if get(source, index - 1) >= get(source, index):
            raise ValueError("not an intset")
    return duplicate(source)


def duplicate(ints: Bytes) -> Ints:
    """Another intset of the same numbers."""
    total: cython.Py_ssize_t = total_of(ints)
    twin: Ints = cython.cast(Ints, take(capacity(total)))
    memcpy(twin, ints, total)
    return twin


def destroy(ints: Ints) -> cython.void:
    """Give the memory back."""
    give(ints, capacity(total_of(ints)))


@cython.cfunc
@cython.exceptval(-1)
def resize(ints: cython.pointer[Ints], total: cython.Py_ssize_t) -> cython.int:
    """Make room for ``total`` bytes, or give up room; the header is not touched."""
    old: cython.Py_ssize_t = total_of(ints[0])
    if capacity(old) != capacity(total):
        ints[0] = cython.cast(Ints, retake(ints[0], old, total))
    return 0


# -- Numbers -------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def read(ints: Bytes, width: uint32_t, index: cython.Py_ssize_t) -> int64_t:
    """The number at an index that is known to be there, at that width."""
    short = cython.declare(int16_t)
    medium = cython.declare(int32_t)
    wide = cython.declare(int64_t)
    at: Bytes = ints + HEADER + index * width
    if width == 2:
        memcpy(cython.address(short), at, 2)
        return short
    if width == 4:
        memcpy(cython.address(medium), at, 4)
        return medium
    memcpy(cython.address(wide), at, 8)
    return wide


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def write(ints: Ints, width: uint32_t, index: cython.Py_ssize_t, number: int64_t) -> cython.void:
    """Set the number at an index; little endian, so that the low bytes are the first ones."""
    memcpy(ints + HEADER + index * width, cython.address(number), width)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def width_of(number: int64_t) -> uint32_t:
    """The narrowest width that holds a number."""
    if -32768 <= number <= 32767:
        return 2
    if -2147483648 <= number <= 2147483647:
        return 4
    return 8


def get(ints: Bytes, index: cython.Py_ssize_t) -> int64_t:
    """The number at an index, from 0; 0 outside."""
    if not 0 <= index < count_of(ints):
        return 0
    return read(ints, word(ints, 0), index)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def position(ints: Bytes, number: int64_t) -> cython.Py_ssize_t:
    """The index of the first number that is not smaller. O(log n)."""
    width: uint32_t = word(ints, 0)
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = word(ints, 1)
    middle: cython.Py_ssize_t
    # Numbers often come in ascending order.
    if high and read(ints, width, high - 1) < number:
        return high
    while low < high:
        middle = (low + high) >> 1
        if read(ints, width, middle) < number:
            low = middle + 1
        else:
            high = middle
    return low


def contains(ints: Bytes, number: int64_t) -> cython.bint:
    """Whether a number is there. O(log n)."""
    if width_of(number) > word(ints, 0):
        return False
    at: cython.Py_ssize_t = position(ints, number)
    return at < count_of(ints) and read(ints, word(ints, 0), at) == number


def add(ints: cython.pointer[Ints], number: int64_t) -> cython.bint:
    """Add a number; returns whether it was not there. O(n)."""
    if width_of(number) > word(ints[0], 0):
        widen(ints, width_of(number))
    width: uint32_t = word(ints[0], 0)
    count: cython.Py_ssize_t = count_of(ints[0])
    at: cython.Py_ssize_t = position(ints[0], number)
    if at < count and read(ints[0], width, at) == number:
        return False
    resize(ints, HEADER + (count + 1) * width)
    start: Ints = ints[0] + HEADER + at * width
    memmove(start + width, start, (count - at) * width)
    write(ints[0], width, at, number)
    set_word(ints[0], 1, count + 1)
    return True


@cython.cfunc
@cython.exceptval(-1)
def widen(ints: cython.pointer[Ints], width: uint32_t) -> cython.int:
    """Give every number more bytes. O(n)."""
    old: uint32_t = word(ints[0], 0)
    count: cython.Py_ssize_t = count_of(ints[0])
    resize(ints, HEADER + count * width)
    # From behind, so that no number is overwritten before it is moved.
    while count > 0:
        count -= 1
        write(ints[0], width, count, read(ints[0], old, count))
    set_word(ints[0], 0, width)
    return 0


def remove(ints: cython.pointer[Ints], number: int64_t) -> cython.bint:
    """Remove a number; returns whether it was there. O(n)."""
    if not contains(ints[0], number):
        return False
    width: uint32_t = word(ints[0], 0)
    count: cython.Py_ssize_t = count_of(ints[0])
    at: cython.Py_ssize_t = position(ints[0], number)
    start: Ints = ints[0] + HEADER + at * width
    memmove(start, start + width, (count - at - 1) * width)
    resize(ints, HEADER + (count - 1) * width)
    set_word(ints[0], 1, count - 1)
    return True
