"""The elements of arrays: a word of eight bytes each, and a cell for those that do not fit one.

What a word says is the very text that it was made of: integers of up to 62 bits, decimal fractions
that are the shortest text of a double with two bits to spare, and texts of up to seven bytes.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import (
    put_double,
    put_longlong,
    to_double,
)
from cython.cimports.carnelian.datatypes.arrays.words import (
    FRACTION,
    INTEGER,
    SCRATCH,
    SHORT,
    SHORT_TEXT,
    integer_of,
    kind_of,
    on_heap,
)
from cython.cimports.carnelian.datatypes.base.slabs import cell_memory, give, take
from cython.cimports.carnelian.datatypes.base.string import parse_integer
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.math import isfinite
from cython.cimports.libc.stdint import int64_t, uint8_t, uint64_t
from cython.cimports.libc.string import memchr, memcmp, memcpy

MOST_INTEGER = cython.declare(int64_t, (1 << 61) - 1)
POINT = cython.declare(cython.char, 46)
EXPONENT = cython.declare(cython.char, 101)
MINUS = cython.declare(cython.char, 45)
ZERO = cython.declare(cython.char, 48)
NINE = cython.declare(cython.char, 57)
# The longest text that can be a fraction: sign, seventeen digits, point, and zeros around them.
LONGEST_FRACTION = cython.declare(cython.Py_ssize_t, 32)

# A text on the heap has its length before it: in one byte, or in seven behind this one.
LONG = cython.declare(uint8_t, 255)
LONG_HEADER = cython.declare(cython.Py_ssize_t, 8)


# -- Making ----------------------------------------------------------------------------------------


def word_of(text: cython.p_const_char, length: cython.Py_ssize_t) -> uint64_t:
    """The word of a text, to be dropped some day; raises MemoryError."""
    number: int64_t = 0
    word: uint64_t
    if length <= 20 and parse_integer(text, length, cython.address(number)):
        if -MOST_INTEGER - 1 <= number <= MOST_INTEGER:
            return cython.cast(uint64_t, number) << 2 | INTEGER
    elif length <= LONGEST_FRACTION:
        word = fraction(text, length)
        if word:
            return word
    return word_of_text(text, length)


def word_of_text(text: cython.p_const_char, length: cython.Py_ssize_t) -> uint64_t:
    """The word of a text that is known to be no number, or need not be taken for one."""
    word: uint64_t = SHORT
    cell: cython.pointer[uint8_t]
    if length <= SHORT_TEXT:
        memcpy(cython.cast(cython.p_char, cython.address(word)) + 1, text, length)
        return word | cython.cast(uint64_t, length) << 2
    cell = cython.cast(cython.pointer[uint8_t], take(cell_length(length)))
    if length < LONG:
        cell[0] = cython.cast(uint8_t, length)
        memcpy(cell + 1, text, length)
    else:
        cython.cast(cython.pointer[uint64_t], cell)[0] = cython.cast(uint64_t, length) << 8 | LONG
        memcpy(cell + LONG_HEADER, text, length)
    return cython.cast(uint64_t, cython.cast(cython.size_t, cell))


def word_of_integer(number: int64_t) -> uint64_t:
    """The word of the decimal text of an integer."""
    digits = cython.declare(cython.char[SCRATCH])
    if -MOST_INTEGER - 1 <= number <= MOST_INTEGER:
        return cython.cast(uint64_t, number) << 2 | INTEGER
    return word_of_text(digits, put_longlong(digits, number))


def word_of_double(number: cython.double) -> uint64_t:
    """The word of a double as :func:`double_of` returns it, with what two bits more cost left out.

    One that is not finite is the text of it.
    """
    digits = cython.declare(cython.char[SCRATCH])
    bits: uint64_t = 0
    if not isfinite(number):
        return word_of_text(digits, put_double(digits, number))
    memcpy(cython.address(bits), cython.address(number), 8)
    return bits & ~cython.cast(uint64_t, 3) | FRACTION


@cython.cfunc
@cython.exceptval(check=True)
def fraction(text: cython.p_const_char, length: cython.Py_ssize_t) -> uint64_t:
    """The word of a decimal fraction, 0 if it would not say the same text."""
    digits = cython.declare(cython.char[SCRATCH])
    copy = cython.declare(cython.char[SCRATCH])
    number: cython.double = 0.0
    bits: uint64_t = 0
    size: cython.Py_ssize_t
    if not has_fraction(text, length):
        return 0
    memcpy(copy, text, length)
    copy[length] = 0
    if not to_double(copy, length, cython.address(number)) or not isfinite(number):
        return 0
    memcpy(cython.address(bits), cython.address(number), 8)
    bits = bits & ~cython.cast(uint64_t, 3) | FRACTION
    size = put_fraction(digits, double_of(bits))
    return bits if size == length and memcmp(digits, text, length) == 0 else 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def has_fraction(text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
    """Whether a text is of digits with one point among them, behind a sign perhaps."""
    i: cython.Py_ssize_t = 1 if length and text[0] == MINUS else 0
    points: cython.int = 0
    if length - i < 2:
        return False
    while i < length:
        if text[i] == POINT:
            points += 1
        elif text[i] < ZERO or text[i] > NINE:
            return False
        i += 1
    return points == 1


@cython.cfunc
@cython.exceptval(check=False)
def put_fraction(out: cython.p_char, number: cython.double) -> cython.Py_ssize_t:
    """Write a double with the fewest digits, and a point in any case but with an exponent."""
    size: cython.Py_ssize_t = put_double(out, number)
    if (
        memchr(out, POINT, size) is not cython.NULL
        or memchr(out, EXPONENT, size) is not cython.NULL
    ):
        return size
    out[size] = POINT
    out[size + 1] = ZERO
    return size + 2


# -- Reading ---------------------------------------------------------------------------------------


def double_of(word: uint64_t) -> cython.double:
    """The number that a fraction is."""
    number: cython.double = 0.0
    word &= ~cython.cast(uint64_t, 3)
    memcpy(cython.address(number), cython.address(word), 8)
    return number


def text_of(
    word: uint64_t, scratch: cython.p_char, length: cython.p_Py_ssize_t
) -> cython.p_const_char:
    """The text of a word, which stands in itself or in ``scratch``, of SCRATCH bytes."""
    kind: cython.int = kind_of(word)
    cell: cython.pointer[uint8_t]
    if kind == SHORT:
        length[0] = word >> 2 & 7
        word >>= 8
        memcpy(scratch, cython.address(word), 7)
        return scratch
    if kind == INTEGER:
        length[0] = put_longlong(scratch, integer_of(word))
        return scratch
    if kind == FRACTION:
        length[0] = put_fraction(scratch, double_of(word))
        return scratch
    cell = cell_of(word)
    length[0] = heap_length(cell)
    return cython.cast(cython.p_const_char, cell + (LONG_HEADER if cell[0] == LONG else 1))


def bytes_of(word: uint64_t) -> bytes | None:
    """The text of a word as an object; None for a free place."""
    scratch = cython.declare(cython.char[SCRATCH])
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char
    if not word:
        return None
    text = text_of(word, scratch, cython.address(length))
    return PyBytes_FromStringAndSize(text, length)


def is_text(word: uint64_t, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
    """Whether that is the text of a word."""
    scratch = cython.declare(cython.char[SCRATCH])
    size: cython.Py_ssize_t = 0
    own: cython.p_const_char = text_of(word, scratch, cython.address(size))
    return size == length and memcmp(own, text, length) == 0


# -- Memory ----------------------------------------------------------------------------------------


def twin_of(word: uint64_t) -> uint64_t:
    """A word that says the same as one, not 0, and shares nothing with it; raises MemoryError."""
    scratch = cython.declare(cython.char[1])
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char
    if not on_heap(word):
        return word
    text = text_of(word, scratch, cython.address(length))
    return word_of_text(text, length)


def heap_memory(word: uint64_t) -> cython.Py_ssize_t:
    """Bytes that a word holds beside itself."""
    if not on_heap(word):
        return 0
    return cell_memory(cell_of(word), cell_length(heap_length(cell_of(word))))


def drop(word: uint64_t) -> cython.void:
    """Give back what a word holds."""
    if on_heap(word):
        give(cell_of(word), cell_length(heap_length(cell_of(word))))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def cell_of(word: uint64_t) -> cython.pointer[uint8_t]:
    """Where a text on the heap stands."""
    return cython.cast(cython.pointer[uint8_t], cython.cast(cython.size_t, word))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def cell_length(length: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Bytes of a text on the heap with its header."""
    return length + 1 if length < LONG else length + LONG_HEADER


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def heap_length(cell: cython.pointer[uint8_t]) -> cython.Py_ssize_t:
    """The length of a text on the heap."""
    if cell[0] != LONG:
        return cell[0]
    return cython.cast(cython.Py_ssize_t, cython.cast(cython.pointer[uint64_t], cell)[0] >> 8)
