"""The library ``struct``: values as bytes in formats that a text describes, and back.

Letters: ``b h l i T`` are signed integers of 1, 2, 8, 4 (or a given number of) and 8 bytes, in
upper case unsigned (``T`` always is); ``f d`` are floats, ``s`` is a text that ends with a zero
byte, ``c`` one of a given number of bytes (0: what there is, or what the last value says), ``x`` a
byte of padding. ``< > =`` choose the order of bytes, ``!`` an alignment.

All of it is called by Lua and owns no Python reference. Sizes are bounded wherever they are added.
See http://www.inf.puc-rio.br/~roberto/struct/
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
from cython.cimports.carnelian.scripting.lua import State, lua, pop, set_function
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memchr, memcpy, memset

_BIG_ENDIAN = cython.declare(cython.bint, sys.byteorder == "big")

_INT_MAX = cython.declare(cython.int, 0x7FFFFFFF)
# Bytes of the longest integer, and of the alignment that "!" stands for without a number.
_LONGEST_INTEGER = cython.declare(cython.int, 32)
_NATIVE_ALIGNMENT = cython.declare(cython.int, 8)
# One more than the largest number that is an unsigned integer, and half of it.
_TWO_TO_64 = cython.declare(cython.double, 18446744073709551616.0)
_TWO_TO_63 = cython.declare(cython.double, 9223372036854775808.0)

# What the format has said so far, and where to read on.
_Format = cython.struct(
    L=State,
    at=cython.p_const_char,
    big=cython.bint,
    alignment=cython.int,
)


@cython.cfunc
@cython.exceptval(check=False)
def open_struct(L: State) -> cython.void:
    """Push the table of the library."""
    lua.createtable(L, 0, 3)
    set_function(L, b"pack", _pack)
    set_function(L, b"unpack", _unpack)
    set_function(L, b"size", _size)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_digit(letter: cython.int) -> cython.bint:
    return 48 <= letter <= 57


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_alphanumeric(letter: cython.int) -> cython.bint:
    return _is_digit(letter) or 65 <= letter <= 90 or 97 <= letter <= 122


# -- Formats -------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _begin(format: cython.pointer[_Format], L: State) -> cython.void:
    """Read the format that is the first argument."""
    format.L = L
    format.at = lua.checklstring(L, 1, cython.NULL)
    format.big = _BIG_ENDIAN
    format.alignment = 1


@cython.cfunc
@cython.exceptval(check=False)
def _number(format: cython.pointer[_Format], otherwise: cython.int) -> cython.int:
    """The number that stands next in the format, or another one where there is none."""
    number: cython.int = 0
    digit: cython.int
    if not _is_digit(format.at[0]):
        return otherwise
    while _is_digit(format.at[0]):
        digit = format.at[0] - 48
        if number > _INT_MAX // 10 or number * 10 > _INT_MAX - digit:
            return lua.raise_error(format.L, b"integral size overflow")
        number = number * 10 + digit
        format.at += 1
    return number


@cython.cfunc
@cython.exceptval(check=False)
def _size_of(format: cython.pointer[_Format], letter: cython.char) -> cython.size_t:
    """Bytes of a value; 0 where that varies, and for what is no value."""
    size: cython.int
    if letter == b"B" or letter == b"b" or letter == b"x":
        return 1
    if letter == b"H" or letter == b"h":
        return cython.sizeof(cython.short)
    if letter == b"L" or letter == b"l":
        return cython.sizeof(cython.long)
    if letter == b"T":
        return cython.sizeof(cython.size_t)
    if letter == b"f":
        return cython.sizeof(cython.float)
    if letter == b"d":
        return cython.sizeof(cython.double)
    if letter == b"c":
        return _number(format, 1)
    if letter != b"i" and letter != b"I":
        return 0
    size = _number(format, cython.sizeof(cython.int))
    if size > _LONGEST_INTEGER:
        return lua.raise_error(
            format.L, b"integral size %d is larger than limit of %d", size, _LONGEST_INTEGER
        )
    return size


@cython.cfunc
@cython.exceptval(check=False)
def _padding(
    format: cython.pointer[_Format],
    position: cython.size_t,
    letter: cython.char,
    size: cython.size_t,
) -> cython.size_t:
    """Bytes between a position and a value that is to be aligned."""
    if size == 0 or letter == b"c":
        return 0
    if size > cython.cast(cython.size_t, format.alignment):
        size = format.alignment
    if size <= 1:
        return 0
    return (size - (position & (size - 1))) & (size - 1)


@cython.cfunc
@cython.exceptval(check=False)
def _control(format: cython.pointer[_Format], letter: cython.char) -> cython.void:
    """Heed what is no value."""
    alignment: cython.int
    if letter == b" ":
        return
    if letter == b"<":
        format.big = False
    elif letter == b">":
        format.big = True
    elif letter == b"!":
        alignment = _number(format, _NATIVE_ALIGNMENT)
        if alignment == 0 or alignment & (alignment - 1):
            lua.raise_error(format.L, b"alignment %d is not a power of 2", alignment)
        format.alignment = alignment
    else:
        lua.argerror(
            format.L,
            1,
            lua.pushfstring(
                format.L, b"invalid format option '%c'", cython.cast(cython.int, letter)
            ),
        )


@cython.cfunc
@cython.exceptval(check=False)
def _size(L: State) -> cython.int:
    """The size of what a format describes."""
    format = cython.declare(_Format)
    size: cython.size_t
    position: cython.size_t = 0
    letter: cython.char
    _begin(cython.address(format), L)
    while format.at[0]:
        letter = format.at[0]
        format.at += 1
        size = _size_of(cython.address(format), letter)
        position += _padding(cython.address(format), position, letter, size)
        if letter == b"s":
            return lua.argerror(L, 1, b"option 's' has no fixed size")
        if letter == b"c" and size == 0:
            return lua.argerror(L, 1, b"option 'c0' has no fixed size")
        if not _is_alphanumeric(letter):
            _control(cython.address(format), letter)
        position += size
    lua.pushnumber(L, cython.cast(int64_t, position))
    return 1


# -- Packing -------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _pack(L: State) -> cython.int:
    """The bytes of values."""
    format = cython.declare(_Format)
    buffer = cython.declare(Buffer)
    argument: cython.int = 2
    padding: cython.size_t
    size: cython.size_t
    letter: cython.char
    _begin(cython.address(format), L)
    begin(cython.address(buffer), L)
    while format.at[0]:
        letter = format.at[0]
        format.at += 1
        size = _size_of(cython.address(format), letter)
        padding = _padding(cython.address(format), buffer.size, letter, size)
        if padding:
            memset(extend(cython.address(buffer), padding), 0, padding)
        if letter == b"x":
            extend(cython.address(buffer), 1)[0] = 0
        elif _is_integer(letter):
            _put_integer(
                extend(cython.address(buffer), size),
                lua.checknumber(L, argument),
                size,
                format.big,
            )
            argument += 1
        elif letter == b"f" or letter == b"d":
            _put_float(
                extend(cython.address(buffer), size),
                lua.checknumber(L, argument),
                size,
                format.big,
            )
            argument += 1
        elif letter == b"c" or letter == b"s":
            _put_text(cython.address(buffer), argument, letter, size)
            argument += 1
        else:
            _control(cython.address(format), letter)
    push_text(cython.address(buffer))
    return 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_integer(letter: cython.char) -> cython.bint:
    return letter != 0 and (
        letter == b"b"
        or letter == b"B"
        or letter == b"h"
        or letter == b"H"
        or letter == b"l"
        or letter == b"L"
        or letter == b"T"
        or letter == b"i"
        or letter == b"I"
    )


@cython.cfunc
@cython.exceptval(check=False)
def _word_of(number: cython.double) -> uint64_t:
    """The lowest 64 bits of an integer, as processors make them of a float that is too large."""
    if number < 0:
        if number < -_TWO_TO_63:
            return cython.cast(uint64_t, 1) << 63
        return cython.cast(uint64_t, cython.cast(int64_t, number))
    if number < _TWO_TO_64:
        return cython.cast(uint64_t, number)
    # Too large, or not a number.
    return 0 if number >= _TWO_TO_64 else cython.cast(uint64_t, 1) << 63


@cython.cfunc
@cython.exceptval(check=False)
def _put_integer(
    at: cython.p_char, number: cython.double, size: cython.size_t, big: cython.bint
) -> cython.void:
    word: uint64_t = _word_of(number)
    i: cython.size_t
    for i in range(size):
        at[size - 1 - i if big else i] = cython.cast(cython.char, word & 0xFF)
        word >>= 8


@cython.cfunc
@cython.exceptval(check=False)
def _put_float(
    at: cython.p_char, number: cython.double, size: cython.size_t, big: cython.bint
) -> cython.void:
    short: cython.float
    if size == 4:
        short = cython.cast(cython.float, number)
        memcpy(at, cython.address(short), 4)
    else:
        memcpy(at, cython.address(number), 8)
    if big != _BIG_ENDIAN:
        _reverse(at, size)


@cython.cfunc
@cython.exceptval(check=False)
def _reverse(at: cython.p_char, size: cython.size_t) -> cython.void:
    i: cython.size_t
    byte: cython.char
    for i in range(size // 2):
        byte = at[i]
        at[i] = at[size - 1 - i]
        at[size - 1 - i] = byte


@cython.cfunc
@cython.exceptval(check=False)
def _put_text(
    buffer: cython.pointer[Buffer], argument: cython.int, letter: cython.char, size: cython.size_t
) -> cython.void:
    """As much of a text as its size says, all of it if that is 0."""
    length: cython.size_t = 0
    text: cython.p_const_char = lua.checklstring(buffer.L, argument, cython.address(length))
    if size == 0:
        size = length
    if length < size:
        # The number is one too high, but everybody knows the message as it is.
        lua.argerror(buffer.L, argument + 1, b"string too short")
    memcpy(extend(buffer, size), text, size)
    if letter == b"s":
        extend(buffer, 1)[0] = 0


# -- Unpacking -----------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _unpack(L: State) -> cython.int:
    """The values that bytes stand for, and the position behind them."""
    format = cython.declare(_Format)
    length: cython.size_t = 0
    size: cython.size_t
    count: cython.int = 0
    letter: cython.char
    data: cython.p_const_char
    position: cython.size_t
    _begin(cython.address(format), L)
    data = lua.checklstring(L, 2, cython.address(length))
    position = cython.cast(cython.size_t, lua.optinteger(L, 3, 1))
    if position == 0:
        return lua.argerror(L, 3, b"offset must be 1 or greater")
    position -= 1
    while format.at[0]:
        letter = format.at[0]
        format.at += 1
        size = _size_of(cython.address(format), letter)
        position += _padding(cython.address(format), position, letter, size)
        _check_data(L, length, position, size)
        if not lua.checkstack(L, 2):
            return lua.raise_error(L, b"stack overflow (too many results)")
        if letter == b"x":
            pass
        elif _is_integer(letter):
            lua.pushnumber(L, _integer_at(data + position, letter, size, format.big))
            count += 1
        elif letter == b"f" or letter == b"d":
            lua.pushnumber(L, _float_at(data + position, size, format.big))
            count += 1
        elif letter == b"c":
            if size == 0:
                size = _said_size(L, count)
                count -= 1
                _check_data(L, length, position, size)
            lua.pushlstring(L, data + position, size)
            count += 1
        elif letter == b"s":
            size = _terminated_size(L, data, length, position)
            lua.pushlstring(L, data + position, size - 1)
            count += 1
        else:
            _control(cython.address(format), letter)
        position += size
    lua.pushnumber(L, cython.cast(int64_t, position + 1))
    return count + 1


@cython.cfunc
@cython.exceptval(check=False)
def _check_data(
    L: State, length: cython.size_t, position: cython.size_t, size: cython.size_t
) -> cython.void:
    """Raise unless so many bytes stand there."""
    if size > length or position > length - size:
        lua.argerror(L, 2, b"data string too short")


@cython.cfunc
@cython.exceptval(check=False)
def _said_size(L: State, count: cython.int) -> cython.size_t:
    """The size that the last value says, which is taken away."""
    number: cython.double
    if count == 0 or not lua.isnumber(L, -1):
        return lua.raise_error(L, b"format 'c0' needs a previous size")
    number = lua.tonumber(L, -1)
    pop(L, 1)
    return _word_of(number)


@cython.cfunc
@cython.exceptval(check=False)
def _terminated_size(
    L: State, data: cython.p_const_char, length: cython.size_t, position: cython.size_t
) -> cython.size_t:
    """Bytes of a text with the zero that ends it."""
    end: cython.p_const_char = cython.cast(
        cython.p_const_char, memchr(data + position, 0, length - position)
    )
    if end == cython.NULL:
        return lua.raise_error(L, b"unfinished string in data")
    return end - (data + position) + 1


@cython.cfunc
@cython.exceptval(check=False)
def _integer_at(
    at: cython.p_const_char, letter: cython.char, size: cython.size_t, big: cython.bint
) -> cython.double:
    word: uint64_t = 0
    sign: uint64_t
    i: cython.size_t
    for i in range(size):
        word = word << 8 | cython.cast(cython.uchar, at[i if big else size - 1 - i])
    if letter == b"B" or letter == b"H" or letter == b"L" or letter == b"T" or letter == b"I":
        return cython.cast(cython.double, word)
    # Of an integer of more than 8 bytes the lowest count, and what is their sign is not copied.
    sign = ~cython.cast(uint64_t, 0) << ((size * 8 - 1) & 63)
    if word & sign:
        word |= sign
    return cython.cast(cython.double, cython.cast(int64_t, word))


@cython.cfunc
@cython.exceptval(check=False)
def _float_at(at: cython.p_const_char, size: cython.size_t, big: cython.bint) -> cython.double:
    copy = cython.declare(cython.char[8])
    short: cython.float = 0
    number: cython.double = 0
    memcpy(copy, at, size)
    if big != _BIG_ENDIAN:
        _reverse(copy, size)
    if size == 4:
        memcpy(cython.address(short), copy, 4)
        return short
    memcpy(cython.address(number), copy, 8)
    return number
