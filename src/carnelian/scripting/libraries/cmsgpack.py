"""The library ``cmsgpack``: Lua values as MessagePack, and back, as in lua-cmsgpack 0.4.0.

All of it is called by Lua and owns no Python reference. The format is that of
https://github.com/msgpack/msgpack/blob/master/spec.md, without its extension types.
"""

from __future__ import annotations

import sys

import cython
from cython.cimports.carnelian.scripting.libraries.text_buffer import (
    Buffer,
    begin,
    extend,
    push_text,
)
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    NUMBER,
    STRING,
    TABLE,
    State,
    lua,
    pop,
    set_function,
)
from cython.cimports.libc.math import isinf
from cython.cimports.libc.stdint import int8_t, int16_t, int32_t, int64_t, uint64_t
from cython.cimports.libc.string import memcpy

_BIG_ENDIAN = cython.declare(cython.bint, sys.byteorder == "big")

# Tables in tables that are packed; nil stands for what lies deeper.
_MOST_NESTED = cython.declare(cython.int, 16)

_TWO_TO_63 = cython.declare(cython.double, 9223372036854775808.0)

# What is read, and where to read on.
_Input = cython.struct(L=State, at=cython.p_const_char, end=cython.p_const_char)


@cython.cfunc
@cython.exceptval(check=False)
def open_cmsgpack(L: State) -> cython.void:
    """Push the table of the library."""
    lua.createtable(L, 0, 8)
    set_function(L, b"pack", _pack)
    set_function(L, b"unpack", _unpack)
    set_function(L, b"unpack_one", _unpack_one)
    set_function(L, b"unpack_limit", _unpack_limit)
    _name(L, b"_NAME", b"cmsgpack")
    _name(L, b"_VERSION", b"lua-cmsgpack 0.4.0")
    _name(L, b"_COPYRIGHT", b"Copyright (C) 2012, Salvatore Sanfilippo")
    _name(L, b"_DESCRIPTION", b"MessagePack C implementation for Lua")


@cython.cfunc
@cython.exceptval(check=False)
def _name(L: State, name: cython.p_const_char, text: cython.p_const_char) -> cython.void:
    lua.pushstring(L, text)
    lua.setfield(L, -2, name)


# -- Packing -------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _pack(L: State) -> cython.int:
    """The values of all arguments, one after the other."""
    buffer = cython.declare(Buffer)
    count: cython.int = lua.gettop(L)
    index: cython.int
    if count == 0:
        return lua.argerror(L, 0, b"MessagePack pack needs input.")
    if not lua.checkstack(L, count):
        return lua.argerror(L, 0, b"Too many arguments for MessagePack pack.")
    begin(cython.address(buffer), L)
    for index in range(1, count + 1):
        lua.pushvalue(L, index)
        _put(cython.address(buffer), 0)
    push_text(cython.address(buffer))
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _put(buffer: cython.pointer[Buffer], level: cython.int) -> cython.void:
    """Pack the value on top of the stack, and take it away."""
    L: State = buffer.L
    kind: cython.int = lua.type(L, -1)
    if kind == STRING:
        _put_text(buffer)
    elif kind == NUMBER:
        _put_number(buffer, lua.tonumber(L, -1))
    elif kind == BOOLEAN:
        _put_byte(buffer, 0xC3 if lua.toboolean(L, -1) else 0xC2)
    elif kind == TABLE and level < _MOST_NESTED:
        if not lua.checkstack(L, 4):
            lua.raise_error(L, b"stack overflow (too many nested tables)")
        if _is_array(L):
            _put_array(buffer, level)
        else:
            _put_map(buffer, level)
    else:
        # Nil, and what there is no form for.
        _put_byte(buffer, 0xC0)
    pop(L, 1)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _put_byte(buffer: cython.pointer[Buffer], byte: cython.int) -> cython.void:
    extend(buffer, 1)[0] = cython.cast(cython.char, byte)


@cython.cfunc
@cython.exceptval(check=False)
def _put_word(
    buffer: cython.pointer[Buffer], byte: cython.int, word: uint64_t, size: cython.int
) -> cython.void:
    """A byte that says what follows, and the lowest ``size`` bytes of a word."""
    at: cython.p_char = extend(buffer, size + 1)
    at[0] = cython.cast(cython.char, byte)
    i: cython.int
    for i in range(size, 0, -1):
        at[i] = cython.cast(cython.char, word & 0xFF)
        word >>= 8


@cython.cfunc
@cython.exceptval(check=False)
def _put_text(buffer: cython.pointer[Buffer]) -> cython.void:
    size: cython.size_t = 0
    text: cython.p_const_char = lua.tolstring(buffer.L, -1, cython.address(size))
    if size < 32:
        _put_byte(buffer, 0xA0 | cython.cast(cython.int, size))
    elif size <= 0xFF:
        _put_word(buffer, 0xD9, size, 1)
    elif size <= 0xFFFF:
        _put_word(buffer, 0xDA, size, 2)
    else:
        _put_word(buffer, 0xDB, size, 4)
    memcpy(extend(buffer, size), text, size)


@cython.cfunc
@cython.exceptval(check=False)
def _put_number(buffer: cython.pointer[Buffer], number: cython.double) -> cython.void:
    """An integer in as few bytes as there are for it; else a float that loses nothing."""
    short: cython.float
    word: uint64_t = 0
    if _is_integer(number):
        _put_integer(buffer, cython.cast(int64_t, number))
        return
    short = cython.cast(cython.float, number)
    if number == cython.cast(cython.double, short):
        memcpy(cython.address(word), cython.address(short), 4)
        if _BIG_ENDIAN:
            word >>= 32
        _put_word(buffer, 0xCA, word, 4)
    else:
        memcpy(cython.address(word), cython.address(number), 8)
        _put_word(buffer, 0xCB, word, 8)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_integer(number: cython.double) -> cython.bint:
    return (
        not isinf(number)
        and -_TWO_TO_63 <= number < _TWO_TO_63
        and cython.cast(cython.double, cython.cast(int64_t, number)) == number
    )


@cython.cfunc
@cython.exceptval(check=False)
def _put_integer(buffer: cython.pointer[Buffer], number: int64_t) -> cython.void:
    word: uint64_t = cython.cast(uint64_t, number)
    if -32 <= number <= 127:
        _put_byte(buffer, cython.cast(cython.int, number & 0xFF))
    elif number >= 0:
        if number <= 0xFF:
            _put_word(buffer, 0xCC, word, 1)
        elif number <= 0xFFFF:
            _put_word(buffer, 0xCD, word, 2)
        elif number <= cython.cast(int64_t, 0xFFFFFFFF):
            _put_word(buffer, 0xCE, word, 4)
        else:
            _put_word(buffer, 0xCF, word, 8)
    elif number >= -128:
        _put_word(buffer, 0xD0, word, 1)
    elif number >= -32768:
        _put_word(buffer, 0xD1, word, 2)
    elif number >= -cython.cast(int64_t, 0x80000000):
        _put_word(buffer, 0xD2, word, 4)
    else:
        _put_word(buffer, 0xD3, word, 8)


@cython.cfunc
@cython.exceptval(check=False)
def _is_array(L: State) -> cython.bint:
    """Whether the keys of the table on top of the stack are 1 to the number of them."""
    count: cython.double = 0
    largest: cython.double = 0
    key: cython.double
    lua.pushnil(L)
    while lua.next(L, -2):
        pop(L, 1)
        key = lua.tonumber(L, -1) if lua.type(L, -1) == NUMBER else 0
        if key <= 0 or not _is_integer(key):
            pop(L, 1)
            return False
        if key > largest:
            largest = key
        count += 1
    return count == largest


@cython.cfunc
@cython.exceptval(check=False)
def _put_array(buffer: cython.pointer[Buffer], level: cython.int) -> cython.void:
    L: State = buffer.L
    count: cython.size_t = lua.objlen(L, -1)
    index: cython.size_t
    if count <= 15:
        _put_byte(buffer, 0x90 | cython.cast(cython.int, count))
    elif count <= 0xFFFF:
        _put_word(buffer, 0xDC, count, 2)
    else:
        _put_word(buffer, 0xDD, count, 4)
    for index in range(1, count + 1):
        lua.rawgeti(L, -1, cython.cast(cython.int, index))
        _put(buffer, level + 1)


@cython.cfunc
@cython.exceptval(check=False)
def _put_map(buffer: cython.pointer[Buffer], level: cython.int) -> cython.void:
    L: State = buffer.L
    count: cython.size_t = 0
    lua.pushnil(L)
    while lua.next(L, -2):
        pop(L, 1)
        count += 1
    if count <= 15:
        _put_byte(buffer, 0x80 | cython.cast(cython.int, count))
    elif count <= 0xFFFF:
        _put_word(buffer, 0xDE, count, 2)
    else:
        _put_word(buffer, 0xDF, count, 4)
    lua.pushnil(L)
    while lua.next(L, -2):
        # A copy of the key: the key itself is what the next one is found by.
        lua.pushvalue(L, -2)
        _put(buffer, level + 1)
        _put(buffer, level + 1)


# -- Unpacking -----------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _unpack(L: State) -> cython.int:
    """All values of a text."""
    return _unpack_some(L, 0, 0)


@cython.cfunc
@cython.exceptval(check=False)
def _unpack_one(L: State) -> cython.int:
    """Where to go on, -1 at the end, and the value at an offset (0 if that is not given)."""
    offset: cython.Py_ssize_t = lua.optinteger(L, 2, 0)
    lua.settop(L, 1)
    return _unpack_some(L, 1, offset)


@cython.cfunc
@cython.exceptval(check=False)
def _unpack_limit(L: State) -> cython.int:
    """The same with so many values."""
    limit: cython.Py_ssize_t = lua.checkinteger(L, 2)
    offset: cython.Py_ssize_t = lua.optinteger(L, 3, 0)
    lua.settop(L, 1)
    return _unpack_some(L, limit, offset)


@cython.cfunc
@cython.exceptval(check=False)
def _unpack_some(L: State, limit: cython.Py_ssize_t, offset: cython.Py_ssize_t) -> cython.int:
    """Up to ``limit`` values, and before them where to go on; without either, all values alone."""
    input = cython.declare(_Input)
    size: cython.size_t = 0
    text: cython.p_const_char = lua.checklstring(L, 1, cython.address(size))
    everything: cython.bint = limit == 0 and offset == 0
    count: cython.int = 0
    if offset < 0 or limit < 0:
        return lua.raise_error(
            L,
            b"Invalid request to unpack with offset of %d and limit of %d.",
            cython.cast(cython.int, offset),
            cython.cast(cython.int, size),
        )
    if cython.cast(cython.size_t, offset) > size:
        return lua.raise_error(
            L,
            b"Start offset %d greater than input length %d.",
            cython.cast(cython.int, offset),
            cython.cast(cython.int, size),
        )
    input.L = L
    input.at = text + offset
    input.end = text + size
    while input.at < input.end and (everything or count < limit):
        _push_next(cython.address(input))
        count += 1
    if everything:
        return count
    lua.pushnumber(L, -1 if input.at == input.end else input.at - text)
    lua.insert(L, 2)
    return count + 1


@cython.cfunc
@cython.exceptval(check=False)
def _take(input: cython.pointer[_Input], count: cython.size_t) -> cython.p_const_char:
    """So many bytes, which are there or it raises."""
    at: cython.p_const_char = input.at
    if count > cython.cast(cython.size_t, input.end - at):
        lua.raise_error(input.L, b"Missing bytes in input.")
    input.at = at + count
    return at


@cython.cfunc
@cython.exceptval(check=False)
def _word(input: cython.pointer[_Input], size: cython.int) -> uint64_t:
    """The number that is the next ``size`` bytes."""
    at: cython.p_const_char = _take(input, size)
    word: uint64_t = 0
    i: cython.int
    for i in range(size):
        word = word << 8 | cython.cast(cython.uchar, at[i])
    return word


@cython.cfunc
@cython.exceptval(check=False)
def _push_next(input: cython.pointer[_Input]) -> cython.void:
    """Push the next value."""
    L: State = input.L
    byte: cython.int
    if not lua.checkstack(L, 1):
        lua.raise_error(
            L,
            b"stack overflow (too many return values at once; use unpack_one or unpack_limit "
            b"instead.)",
        )
    byte = cython.cast(cython.uchar, _take(input, 1)[0])
    if byte <= 0x7F:
        lua.pushnumber(L, byte)
    elif byte >= 0xE0:
        lua.pushnumber(L, byte - 256)
    elif byte <= 0x8F:
        _push_map(input, byte & 15)
    elif byte <= 0x9F:
        _push_array(input, byte & 15)
    elif byte <= 0xBF:
        _push_text(input, byte & 31)
    elif byte == 0xC0:
        lua.pushnil(L)
    elif byte == 0xC2 or byte == 0xC3:
        lua.pushboolean(L, byte & 1)
    elif byte == 0xCA or byte == 0xCB:
        _push_float(input, 4 if byte == 0xCA else 8)
    elif 0xCC <= byte <= 0xD3:
        _push_integer(input, byte)
    elif 0xD9 <= byte <= 0xDB:
        _push_text(input, _word(input, 1 << (byte - 0xD9)))
    elif byte == 0xDC or byte == 0xDD:
        _push_array(input, _word(input, 2 if byte == 0xDC else 4))
    elif byte == 0xDE or byte == 0xDF:
        _push_map(input, _word(input, 2 if byte == 0xDE else 4))
    else:
        lua.raise_error(L, b"Bad data format in input.")


@cython.cfunc
@cython.exceptval(check=False)
def _push_integer(input: cython.pointer[_Input], byte: cython.int) -> cython.void:
    """Integers of 1, 2, 4 and 8 bytes: those from 0xD0 on are signed."""
    word: uint64_t = _word(input, 1 << (byte & 3))
    number: int64_t = cython.cast(int64_t, word)
    if byte == 0xD0:
        number = cython.cast(int8_t, word)
    elif byte == 0xD1:
        number = cython.cast(int16_t, word)
    elif byte == 0xD2:
        number = cython.cast(int32_t, word)
    # One of 8 bytes is taken for signed in any case.
    lua.pushnumber(input.L, cython.cast(cython.double, number))


@cython.cfunc
@cython.exceptval(check=False)
def _push_float(input: cython.pointer[_Input], size: cython.int) -> cython.void:
    word: uint64_t = _word(input, size)
    number: cython.double = 0
    short: cython.float = 0
    if size == 4:
        if _BIG_ENDIAN:
            word <<= 32
        memcpy(cython.address(short), cython.address(word), 4)
        number = short
    else:
        memcpy(cython.address(number), cython.address(word), 8)
    lua.pushnumber(input.L, number)


@cython.cfunc
@cython.exceptval(check=False)
def _push_text(input: cython.pointer[_Input], size: cython.size_t) -> cython.void:
    lua.pushlstring(input.L, _take(input, size), size)


@cython.cfunc
@cython.exceptval(check=False)
def _push_array(input: cython.pointer[_Input], count: cython.size_t) -> cython.void:
    L: State = input.L
    index: cython.size_t
    # Room is made for what comes, not for what is announced.
    lua.createtable(L, 0, 0)
    if not lua.checkstack(L, 1):
        lua.raise_error(L, b"stack overflow (in function mp_decode_to_lua_array)")
    for index in range(1, count + 1):
        _push_next(input)
        lua.rawseti(L, -2, cython.cast(cython.int, index))


@cython.cfunc
@cython.exceptval(check=False)
def _push_map(input: cython.pointer[_Input], count: cython.size_t) -> cython.void:
    L: State = input.L
    _index: cython.size_t
    lua.createtable(L, 0, 0)
    for _index in range(count):
        _push_next(input)
        _push_next(input)
        lua.rawset(L, -3)
