"""The ids of stream entries: two 64-bit numbers without sign, written ``ms-seq``."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.streams.ids import ID_TEXT, Id
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memchr

MOST = cython.declare(uint64_t, ~cython.cast(uint64_t, 0))
LOWEST = cython.declare(uint64_t, cython.cast(uint64_t, 1) << 63)


def parse_number(
    text: cython.p_const_char, length: cython.Py_ssize_t, number: cython.pointer[uint64_t]
) -> cython.bint:
    """Read a decimal number without sign; returns whether it is one.

    As in Redis, what is not in its shortest form is read as C's ``strtoull`` does: with space
    before it, zeros, a sign, and even a negative number taken as if it had none.
    """
    digits: cython.p_const_char = text
    left: cython.Py_ssize_t = length
    negative: cython.bint = False
    while left and (digits[0] == b" " or b"\t" <= digits[0] <= b"\r"):
        digits += 1
        left -= 1
    if left and (digits[0] == b"+" or digits[0] == b"-"):
        negative = digits[0] == b"-"
        digits += 1
        left -= 1
    if not parse_digits(digits, left, number):
        return False
    if negative:
        # One that is in its shortest form is known to be negative.
        if left + 1 == length and digits[0] != b"0" and number[0] <= LOWEST:
            return False
        number[0] = -number[0]
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def parse_digits(
    text: cython.p_const_char, length: cython.Py_ssize_t, number: cython.pointer[uint64_t]
) -> cython.bint:
    """Read digits; returns whether they are a number of 64 bits."""
    value: uint64_t = 0
    digit: uint64_t
    i: cython.Py_ssize_t
    for i in range(length):
        if not b"0" <= text[i] <= b"9":
            return False
        digit = text[i] - 48
        if value > (MOST - digit) // 10:
            return False
        value = value * 10 + digit
    number[0] = value
    return length > 0


def parse_id(
    text: cython.p_const_char,
    length: cython.Py_ssize_t,
    missing: uint64_t,
    id: cython.pointer[Id],
    any_seq: cython.pointer[cython.bint],
) -> cython.bint:
    """Read an id, or only the time of one; returns whether it is one.

    ``missing`` is the sequence number where none is given. With ``any_seq``, ``ms-*`` is an id,
    too, and sets it; it may be NULL.
    """
    dash: cython.p_const_char = cython.cast(cython.p_const_char, memchr(text, 45, length))
    head: cython.Py_ssize_t = dash - text if dash is not cython.NULL else length
    rest: cython.Py_ssize_t = length - head - 1
    if not parse_number(text, head, cython.address(id.ms)):
        return False
    if dash is cython.NULL:
        id.seq = missing
        return True
    if any_seq is not cython.NULL and rest == 1 and dash[1] == b"*":
        any_seq[0] = True
        id.seq = 0
        return True
    return parse_number(dash + 1, rest, cython.address(id.seq))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def write_number(number: uint64_t, end: cython.p_char) -> cython.p_char:
    """Write a number so that it ends before ``end``; returns where it begins."""
    while True:
        end -= 1
        end[0] = cython.cast(cython.char, 48 + number % 10)
        number //= 10
        if number == 0:
            return end


def format_id(id: cython.pointer[cython.const[Id]]) -> bytes:
    """``ms-seq``."""
    text = cython.declare(cython.char[ID_TEXT])
    end: cython.p_char = cython.cast(cython.p_char, text) + ID_TEXT
    start: cython.p_char = write_number(id.seq, end) - 1
    start[0] = b"-"
    start = write_number(id.ms, start)
    return PyBytes_FromStringAndSize(start, end - start)


def step_up(id: cython.pointer[Id]) -> cython.bint:
    """Go to the next id; returns False, at 0-0, where there is none."""
    id.seq += 1
    if id.seq == 0:
        id.ms += 1
        return id.ms != 0
    return True


def step_down(id: cython.pointer[Id]) -> cython.bint:
    """Go to the previous id; returns False, at the highest, where there is none."""
    id.seq -= 1
    if id.seq == MOST:
        id.ms -= 1
        return id.ms != MOST
    return True


def id_of(pair) -> Id:
    """An id from a pair of numbers."""
    id = cython.declare(Id)
    id.ms = pair[0]
    id.seq = pair[1]
    return id
