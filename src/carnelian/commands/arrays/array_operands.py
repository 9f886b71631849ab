"""The operands of commands on arrays: indexes, which are numbers of 64 bits without a sign."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint64_t

from carnelian.resp.replies import Error, Unsigned

INVALID: str = "ERR invalid array index"
MOST_DIGITS = cython.declare(cython.Py_ssize_t, 20)
TOP = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
SIGNED = cython.declare(uint64_t, 0x7FFFFFFFFFFFFFFF)


def index_of(text: bytes, any: cython.bint = False) -> uint64_t:
    """The index that a text says: 0 to 2**64 - 2, or one more if ``any``; raises Error."""
    digits: cython.p_const_char = PyBytes_AS_STRING(text)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    number: uint64_t = 0
    digit: cython.uint
    i: cython.Py_ssize_t
    if length == 0 or length > MOST_DIGITS or (digits[0] == 48 and length > 1):
        raise Error(INVALID)
    for i in range(length):
        digit = cython.cast(cython.uint, cython.cast(cython.uchar, digits[i])) - 48
        if digit > 9 or number > (TOP - digit) // 10:
            raise Error(INVALID)
        number = number * 10 + digit
    if number > HIGHEST and not any:
        raise Error(INVALID)
    return number


def unsigned(number: uint64_t):
    """A number as a reply, which is an integer even beyond 63 bits."""
    return number if number <= SIGNED else Unsigned(number)
