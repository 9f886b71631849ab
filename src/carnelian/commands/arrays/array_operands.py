"""The operands of commands on arrays: indexes, which are numbers of 64 bits without a sign."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST
from cython.cimports.carnelian.datatypes.base.string import parse_integer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc import errno as libc
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import strtoull

from carnelian.resp.replies import Error, Unsigned

INVALID: str = "ERR invalid array index"
SIGNED = cython.declare(uint64_t, 0x7FFFFFFFFFFFFFFF)


def index_of(text: bytes, any: cython.bint = False) -> uint64_t:
    """The index that a text says: 0 to 2**64 - 2, or one more if ``any``; raises Error."""
    digits: cython.p_const_char = PyBytes_AS_STRING(text)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    number: uint64_t = 0
    small: int64_t = 0
    if parse_integer(digits, length, cython.address(small)):
        if small < 0:
            raise Error(INVALID)
        return cython.cast(uint64_t, small)
    if not to_unsigned(digits, cython.address(number)) or (number > HIGHEST and not any):
        raise Error(INVALID)
    return number


@cython.cfunc
@cython.exceptval(check=False)
def to_unsigned(text: cython.p_const_char, number: cython.pointer[uint64_t]) -> cython.bint:
    """Read a number as the C library does: blanks and zeros may be before it, and even a sign."""
    stop: cython.p_char = cython.NULL
    libc.errno = 0
    number[0] = strtoull(text, cython.address(stop), 10)
    return libc.errno == 0 and text[0] != 0 and stop[0] == 0


def unsigned(number: uint64_t):
    """A number as a reply, which is an integer even beyond 63 bits."""
    return number if number <= SIGNED else Unsigned(number)
