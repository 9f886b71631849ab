"""The settings of ``cjson``: each function sets one, if it is given a value, and returns it."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.context import Context, JsonSettings
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    NIL,
    NONE,
    UPVALUE,
    CFunction,
    State,
    lua,
)
from cython.cimports.libc.string import strcmp


@cython.cfunc
@cython.exceptval(check=False)
def add_settings(L: State, context: cython.pointer[Context]) -> cython.void:
    """Add the functions to the table on top of the stack; below that are the settings."""
    add_function(L, context, b"encode_max_depth", _encode_max_depth)
    add_function(L, context, b"decode_max_depth", _decode_max_depth)
    add_function(L, context, b"encode_number_precision", _encode_number_precision)
    add_function(L, context, b"encode_sparse_array", _encode_sparse_array)
    add_function(L, context, b"encode_invalid_numbers", _encode_invalid_numbers)
    add_function(L, context, b"decode_invalid_numbers", _decode_invalid_numbers)
    add_function(L, context, b"encode_keep_buffer", _encode_keep_buffer)
    add_function(L, context, b"decode_array_with_array_mt", _decode_array_with_array_mt)


@cython.cfunc
@cython.exceptval(check=False)
def add_function(
    L: State, context: cython.pointer[Context], name: cython.p_const_char, function: CFunction
) -> cython.void:
    """Add one to the table on top of the stack; its upvalues: context, the settings below that."""
    lua.pushlightuserdata(L, context)
    lua.pushvalue(L, -3)
    lua.pushcclosure(L, function, 2)
    lua.setfield(L, -2, name)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def settings_of(L: State) -> cython.pointer[JsonSettings]:
    """The settings that the function which was called heeds."""
    return cython.cast(cython.pointer[JsonSettings], lua.touserdata(L, UPVALUE - 1))


@cython.cfunc
@cython.exceptval(check=False)
def _integer_option(
    L: State, option: cython.p_int, least: cython.int, most: cython.int, error: cython.p_const_char
) -> cython.int:
    if lua.gettop(L) > 1:
        return lua.raise_error(L, b"bad argument #2 to '?' (found too many arguments)")
    if lua.type(L, 1) != NONE and lua.type(L, 1) != NIL:
        value: cython.Py_ssize_t = lua.checkinteger(L, 1)
        if not least <= value <= most:
            return lua.argerror(L, 1, error)
        option[0] = cython.cast(cython.int, value)
    lua.pushnumber(L, option[0])
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _choice(
    L: State, index: cython.int, option: cython.p_int, most: cython.int, last: cython.p_const_char
) -> cython.void:
    """Set an option from off, on, or what ``last`` names, and push what it is then."""
    kind: cython.int = lua.type(L, index)
    if kind == BOOLEAN:
        option[0] = lua.toboolean(L, index)
    elif kind != NONE and kind != NIL:
        word: cython.p_const_char = lua.checklstring(L, index, cython.NULL)
        if strcmp(word, b"off") == 0:
            option[0] = 0
        elif strcmp(word, b"on") == 0:
            option[0] = 1
        elif most == 2 and strcmp(word, last) == 0:
            option[0] = 2
        else:
            lua.argerror(L, index, lua.pushfstring(L, b"invalid option '%s'", word))
    if option[0] == 2:
        lua.pushstring(L, last)
    else:
        lua.pushboolean(L, option[0])


@cython.cfunc
@cython.exceptval(check=False)
def _refuse_more(L: State, most: cython.int) -> cython.void:
    if lua.gettop(L) > most:
        lua.argerror(L, most + 1, b"found too many arguments")
    lua.settop(L, most)


@cython.cfunc
@cython.exceptval(check=False)
def _encode_sparse_array(L: State) -> cython.int:
    settings: cython.pointer[JsonSettings] = settings_of(L)
    convert: cython.int = settings.sparse_convert
    _refuse_more(L, 3)
    _choice(L, 1, cython.address(convert), 1, b"")
    settings.sparse_convert = convert
    _number_option(L, 2, cython.address(settings.sparse_ratio))
    _number_option(L, 3, cython.address(settings.sparse_safe))
    return 3


@cython.cfunc
@cython.exceptval(check=False)
def _number_option(L: State, index: cython.int, option: cython.p_int) -> cython.void:
    """Set an option that is a number from 0 on, and push what it is then."""
    value: cython.Py_ssize_t
    if lua.type(L, index) != NIL:
        value = lua.checkinteger(L, index)
        if value < 0 or value > 0x7FFFFFFF:
            lua.argerror(L, index, b"expected integer between 0 and 2147483647")
        option[0] = cython.cast(cython.int, value)
    lua.pushnumber(L, option[0])


@cython.cfunc
@cython.exceptval(check=False)
def _encode_invalid_numbers(L: State) -> cython.int:
    _refuse_more(L, 1)
    _choice(L, 1, cython.address(settings_of(L).encode_invalid), 2, b"null")
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _switch(L: State, setting: cython.pointer[cython.bint]) -> cython.int:
    """Turn something on or off, if that is asked for, and tell how it is."""
    wanted: cython.int = setting[0]
    _refuse_more(L, 1)
    _choice(L, 1, cython.address(wanted), 1, b"")
    setting[0] = wanted
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _decode_invalid_numbers(L: State) -> cython.int:
    return _switch(L, cython.address(settings_of(L).decode_invalid))


@cython.cfunc
@cython.exceptval(check=False)
def _encode_keep_buffer(L: State) -> cython.int:
    return _switch(L, cython.address(settings_of(L).keep_buffer))


@cython.cfunc
@cython.exceptval(check=False)
def _decode_array_with_array_mt(L: State) -> cython.int:
    return _switch(L, cython.address(settings_of(L).mark_arrays))


@cython.cfunc
@cython.exceptval(check=False)
def _encode_max_depth(L: State) -> cython.int:
    option = cython.address(settings_of(L).encode_depth)
    return _integer_option(L, option, 1, 0x7FFFFFFF, b"expected integer between 1 and 2147483647")


@cython.cfunc
@cython.exceptval(check=False)
def _decode_max_depth(L: State) -> cython.int:
    option = cython.address(settings_of(L).decode_depth)
    return _integer_option(L, option, 1, 0x7FFFFFFF, b"expected integer between 1 and 2147483647")


@cython.cfunc
@cython.exceptval(check=False)
def _encode_number_precision(L: State) -> cython.int:
    option = cython.address(settings_of(L).precision)
    return _integer_option(L, option, 1, 14, b"expected integer between 1 and 14")
