"""Strings beside the table's own inline ones: the buffer behind APPEND and SETRANGE, and the
decimal form of 64-bit integers.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import (
    allocate,
    capacity,
    count,
    reallocate,
    release,
)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

# A buffer that grows takes as much again in reserve, but not more than this.
LARGEST_RESERVE = cython.declare(cython.Py_ssize_t, 1024 * 1024)
# Bytes of the Python object around a buffer's data.
SHELL = cython.declare(cython.Py_ssize_t, 48)

LARGEST_MAGNITUDE = cython.declare(uint64_t, cython.cast(uint64_t, 1) << 63)


@cython.final
@cython.no_gc
@cython.cclass
class StringBuffer:
    """A string that changes in place and grows with some room in reserve."""

    def __cinit__(self):
        self.data = cython.NULL
        self.length = 0
        self.room = 0
        count(SHELL)

    def __dealloc__(self):
        count(-SHELL)
        if self.data is not cython.NULL:
            release(self.data)

    def __len__(self) -> int:
        return self.length

    def resize(self, length: cython.Py_ssize_t) -> cython.int:
        """Make it ``length`` bytes long, new ones being zero. Appending n bytes costs O(n)."""
        if length > self.room:
            reserve: cython.Py_ssize_t = min(length, LARGEST_RESERVE)
            self.data = cython.cast(
                cython.p_char, reallocate(self.data, cython.cast(cython.size_t, length + reserve))
            )
            self.room = capacity(self.data)
        if length > self.length:
            memset(self.data + self.length, 0, length - self.length)
        self.length = length
        return 0

    def value(self) -> bytes:
        """The content as ``bytes``."""
        return PyBytes_FromStringAndSize(self.data, self.length)

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held, reserve included."""
        return SHELL + cython.cast(cython.Py_ssize_t, capacity(self.data)) + 8

    def copy(self):
        """Another buffer of the same content, without reserve."""
        return new_buffer(self.data, self.length, self.length)


def new_buffer(
    data: cython.p_const_char, length: cython.Py_ssize_t, total: cython.Py_ssize_t
) -> StringBuffer:
    """A buffer of ``total`` bytes: ``length`` from ``data``, then zeros."""
    buffer: StringBuffer = StringBuffer()
    buffer.data = cython.cast(cython.p_char, allocate(total if total > 0 else 1))
    buffer.room = capacity(buffer.data)
    memcpy(buffer.data, data, length)
    memset(buffer.data + length, 0, total - length)
    buffer.length = total
    return buffer


def format_integer(number: int64_t, text: cython.p_char) -> cython.int:
    """Write the decimal form of ``number`` (at most 20 bytes, no closing zero); its length."""
    digits = cython.declare(cython.char[20])
    at: cython.int = 20
    magnitude: uint64_t = cython.cast(uint64_t, number)
    if number < 0:
        magnitude = ~magnitude + 1
    while True:
        at -= 1
        digits[at] = cython.cast(cython.char, 48 + magnitude % 10)
        magnitude //= 10
        if magnitude == 0:
            break
    if number < 0:
        text[0] = 45
        memcpy(text + 1, cython.address(digits[at]), 20 - at)
        return 21 - at
    memcpy(text, cython.address(digits[at]), 20 - at)
    return 20 - at


def parse_integer(
    text: cython.p_const_char, length: cython.Py_ssize_t, number: cython.pointer[int64_t]
) -> cython.bint:
    """Read a 64-bit integer in its one canonical form: no plus, no leading zero, no space.

    Returns whether ``text`` is one; ``number`` is only written then.
    """
    at: cython.Py_ssize_t = 0
    digit: cython.uint
    magnitude: uint64_t = 0
    if length > 0 and text[0] == 45:
        at = 1
    # Nineteen digits fit 64 bits without a sign, so that no sum below can overflow.
    if length == at or length - at > 19:
        return False
    if text[at] == 48:
        number[0] = 0
        return length == 1
    while at < length:
        digit = cython.cast(cython.uint, cython.cast(cython.uchar, text[at])) - 48
        if digit > 9:
            return False
        magnitude = magnitude * 10 + digit
        at += 1
    if text[0] == 45:
        if magnitude > LARGEST_MAGNITUDE:
            return False
        number[0] = cython.cast(int64_t, ~magnitude + 1)
        return True
    if magnitude >= LARGEST_MAGNITUDE:
        return False
    number[0] = cython.cast(int64_t, magnitude)
    return True
