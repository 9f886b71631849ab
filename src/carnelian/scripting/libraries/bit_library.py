"""The library ``bit``: operations on the bits of numbers, as Redis has them from Lua BitOp.

Numbers are taken modulo 2**32, rounded to the nearest integer, and results are signed. All of it
is called by Lua and owns no Python reference. See https://bitop.luajit.org/api.html
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import State, lua, set_function
from cython.cimports.libc.stdint import int32_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy

# 2**52 + 2**51. Added to a double, it leaves the integer in the low bits.
_INTEGER_IN_LOW_BITS = cython.declare(cython.double, 6755399441055744.0)

_LOWER_DIGITS = cython.declare(cython.p_const_char, b"0123456789abcdef")
_UPPER_DIGITS = cython.declare(cython.p_const_char, b"0123456789ABCDEF")


@cython.cfunc
@cython.exceptval(check=False)
def open_bit(L: State) -> cython.void:
    """Push the table of the library."""
    lua.createtable(L, 0, 12)
    set_function(L, b"tobit", _tobit)
    set_function(L, b"bnot", _bnot)
    set_function(L, b"band", _band)
    set_function(L, b"bor", _bor)
    set_function(L, b"bxor", _bxor)
    set_function(L, b"lshift", _lshift)
    set_function(L, b"rshift", _rshift)
    set_function(L, b"arshift", _arshift)
    set_function(L, b"rol", _rol)
    set_function(L, b"ror", _ror)
    set_function(L, b"bswap", _bswap)
    set_function(L, b"tohex", _tohex)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _bits(L: State, index: cython.int) -> uint32_t:
    """The bits of an argument, which has to be a number or a text that reads as one."""
    number: cython.double = lua.checknumber(L, index) + _INTEGER_IN_LOW_BITS
    pattern: uint64_t = 0
    memcpy(cython.address(pattern), cython.address(number), 8)
    return cython.cast(uint32_t, pattern)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _push(L: State, bits: uint32_t) -> cython.int:
    lua.pushnumber(L, cython.cast(int32_t, bits))
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _tobit(L: State) -> cython.int:
    return _push(L, _bits(L, 1))


@cython.cfunc
@cython.exceptval(check=False)
def _bnot(L: State) -> cython.int:
    return _push(L, ~_bits(L, 1))


@cython.cfunc
@cython.exceptval(check=False)
def _band(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    i: cython.int
    for i in range(2, lua.gettop(L) + 1):
        bits &= _bits(L, i)
    return _push(L, bits)


@cython.cfunc
@cython.exceptval(check=False)
def _bor(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    i: cython.int
    for i in range(2, lua.gettop(L) + 1):
        bits |= _bits(L, i)
    return _push(L, bits)


@cython.cfunc
@cython.exceptval(check=False)
def _bxor(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    i: cython.int
    for i in range(2, lua.gettop(L) + 1):
        bits ^= _bits(L, i)
    return _push(L, bits)


@cython.cfunc
@cython.exceptval(check=False)
def _lshift(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    by: uint32_t = _bits(L, 2) & 31
    return _push(L, bits << by)


@cython.cfunc
@cython.exceptval(check=False)
def _rshift(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    by: uint32_t = _bits(L, 2) & 31
    return _push(L, bits >> by)


@cython.cfunc
@cython.exceptval(check=False)
def _arshift(L: State) -> cython.int:
    bits: int32_t = cython.cast(int32_t, _bits(L, 1))
    by: uint32_t = _bits(L, 2) & 31
    return _push(L, cython.cast(uint32_t, bits >> by))


@cython.cfunc
@cython.exceptval(check=False)
def _rol(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    by: uint32_t = _bits(L, 2) & 31
    back: uint32_t = (32 - by) & 31
    return _push(L, (bits << by) | (bits >> back))


@cython.cfunc
@cython.exceptval(check=False)
def _ror(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    by: uint32_t = _bits(L, 2) & 31
    back: uint32_t = (32 - by) & 31
    return _push(L, (bits >> by) | (bits << back))


@cython.cfunc
@cython.exceptval(check=False)
def _bswap(L: State) -> cython.int:
    bits: uint32_t = _bits(L, 1)
    return _push(L, (bits >> 24) | ((bits >> 8) & 0xFF00) | ((bits & 0xFF00) << 8) | (bits << 24))


@cython.cfunc
@cython.exceptval(check=False)
def _tohex(L: State) -> cython.int:
    """The last digits of a number, 8 if it is not said how many; in upper case below 0."""
    bits: uint32_t = _bits(L, 1)
    wanted: int32_t = 8
    text = cython.declare(cython.char[8])
    digits: cython.p_const_char = _LOWER_DIGITS
    count: cython.int
    if lua.type(L, 2) > 0 or lua.gettop(L) > 1:
        wanted = cython.cast(int32_t, _bits(L, 2))
    if wanted < 0:
        digits = _UPPER_DIGITS
    # Compared before the sign is changed: the least integer has no opposite.
    count = 8 if wanted > 8 or wanted < -8 else (-wanted if wanted < 0 else wanted)
    i: cython.int
    for i in range(count - 1, -1, -1):
        text[i] = digits[bits & 15]
        bits >>= 4
    lua.pushlstring(L, text, count)
    return 1
