"""Functions of Lua that scripts have in a form of our own: safer, or as Redis has them.

All functions here are called by Lua and own no Python reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.chunks import load_text
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    FUNCTION,
    MULTIPLE,
    NIL,
    NONE,
    NUMBER,
    STRING,
    TABLE,
    UPVALUE,
    USERDATA,
    State,
    lua,
)
from cython.cimports.libc.math import floor
from cython.cimports.libc.string import memcpy

_MAX_INT = cython.declare(cython.longlong, 0x7FFFFFFF)
_MOST_BYTES = cython.declare(cython.size_t, 1 << 40)
_SMALL = cython.declare(cython.size_t, 256)
_FACTOR = cython.declare(cython.ulonglong, 0x5DEECE66D)
_MASK_48 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFF)


@cython.cfunc
@cython.exceptval(check=False)
def lua_pcall(L: State) -> cython.int:
    """``pcall`` as Redis has it: an error table with a field ``err`` becomes that message."""
    count: cython.int = lua.gettop(L)
    lua.checkany(L, 1)
    lua.pushboolean(L, 1)
    lua.insert(L, 1)
    if lua.pcall(L, count - 1, MULTIPLE, 0) != 0:
        lua.remove(L, 1)
        if lua.type(L, -1) == TABLE:
            lua.getfield(L, -1, b"err")
            if lua.type(L, -1) in (STRING, NUMBER):
                lua.replace(L, -2)
        lua.pushboolean(L, 0)
        lua.insert(L, 1)
    return lua.gettop(L)


@cython.cfunc
@cython.exceptval(check=False)
def lua_unpack(L: State) -> cython.int:
    """``unpack`` without the overflow of Lua 5.1.5 (CVE-2025-46817)."""
    lua.checktype(L, 1, TABLE)
    first: cython.int = cython.cast(cython.int, lua.optinteger(L, 2, 1))
    last: cython.int
    if lua.type(L, 3) == NONE or lua.type(L, 3) == NIL:
        last = cython.cast(cython.int, lua.objlen(L, 1))
    else:
        last = cython.cast(cython.int, lua.checkinteger(L, 3))
    if first > last:
        return 0
    if cython.cast(cython.longlong, last) - first >= _MAX_INT:
        return lua.raise_error(L, b"too many results to unpack")
    count: cython.int = last - first + 1
    if lua.checkstack(L, count) == 0:
        return lua.raise_error(L, b"too many results to unpack")
    i: cython.int
    for i in range(count):
        lua.rawgeti(L, 1, first + i)
    return count


@cython.cfunc
@cython.exceptval(check=False)
def lua_loadstring(L: State) -> cython.int:
    """``loadstring``, for source texts only."""
    size: cython.size_t = 0
    text: cython.p_const_char = lua.checklstring(L, 1, cython.address(size))
    name: cython.p_const_char = text
    if lua.type(L, 2) != NONE and lua.type(L, 2) != NIL:
        name = lua.checklstring(L, 2, cython.NULL)
    return _loaded(L, text, size, name)


@cython.cfunc
@cython.exceptval(check=False)
def lua_load(L: State) -> cython.int:
    """``load``: collects all pieces first, so that no script runs while another is parsed.

    Second upvalue: ``table.concat``.
    """
    size: cython.size_t = 0
    pieces: cython.int = 0
    name: cython.p_const_char = b"=(load)"
    lua.checktype(L, 1, FUNCTION)
    if lua.type(L, 2) != NONE and lua.type(L, 2) != NIL:
        name = lua.checklstring(L, 2, cython.NULL)
    lua.settop(L, 2)
    lua.pushvalue(L, UPVALUE - 1)
    lua.createtable(L, 0, 0)
    while True:
        lua.pushvalue(L, 1)
        if lua.pcall(L, 0, 1, 0) != 0:
            lua.pushnil(L)
            lua.insert(L, -2)
            return 2
        if lua.type(L, -1) == NIL:
            break
        if lua.type(L, -1) != STRING and lua.type(L, -1) != NUMBER:
            lua.pushnil(L)
            lua.pushstring(L, b"reader function must return a string")
            return 2
        lua.tolstring(L, -1, cython.address(size))
        if size == 0:
            break
        pieces += 1
        lua.rawseti(L, -2, pieces)
    lua.settop(L, 4)
    lua.call(L, 1, 1)
    text: cython.p_const_char = lua.tolstring(L, -1, cython.address(size))
    return _loaded(L, text, size, name)


@cython.cfunc
@cython.exceptval(check=False)
def _loaded(
    L: State, text: cython.p_const_char, size: cython.size_t, name: cython.p_const_char
) -> cython.int:
    if load_text(L, text, size, name) == 0:
        return 1
    lua.pushnil(L)
    lua.insert(L, -2)
    return 2


@cython.cfunc
@cython.exceptval(check=False)
def lua_newproxy(L: State) -> cython.int:
    """``newproxy``, whose metatables are for show: a ``__gc`` of a script never runs.

    It would at any time, and at the end of the state as well, when nothing may run any more.
    """
    lua.settop(L, 1)
    lua.newuserdata(L, 0)
    if lua.toboolean(L, 1) == 0:
        return 1
    if lua.type(L, 1) == BOOLEAN:
        lua.createtable(L, 0, 1)
        lua.createtable(L, 0, 0)
        lua.setfield(L, -2, b"__metatable")
    elif lua.type(L, 1) != USERDATA or lua.getmetatable(L, 1) == 0:
        return lua.argerror(L, 1, b"boolean or proxy expected")
    lua.setmetatable(L, -2)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def lua_random(L: State) -> cython.int:
    """``math.random`` as in Redis: the same numbers on every machine."""
    context: cython.pointer[Context] = context_of(L)
    count: cython.int = lua.gettop(L)
    low: cython.Py_ssize_t = 1
    high: cython.Py_ssize_t
    context.random = (context.random * _FACTOR + 0xB) & _MASK_48
    fraction: cython.double = (
        cython.cast(cython.double, (context.random >> 17) % _MAX_INT) / _MAX_INT
    )
    if count == 0:
        lua.pushnumber(L, fraction)
        return 1
    if count > 2:
        return lua.raise_error(L, b"wrong number of arguments")
    if count == 2:
        low = lua.checkinteger(L, 1)
    high = lua.checkinteger(L, count)
    if low > high:
        return lua.argerror(L, count, b"interval is empty")
    lua.pushnumber(L, floor(fraction * (high - low + 1)) + low)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def lua_randomseed(L: State) -> cython.int:
    """``math.randomseed``, the counterpart of :func:`lua_random`."""
    seed = cython.cast(cython.uint, lua.checkinteger(L, 1))
    context_of(L).random = (cython.cast(cython.ulonglong, seed) << 16) | 0x330E
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def lua_rep(L: State) -> cython.int:
    """``string.rep``: what is too long fails at once, and not when memory has run out."""
    small = cython.declare(cython.char[256])
    size: cython.size_t = 0
    text: cython.p_const_char = lua.checklstring(L, 1, cython.address(size))
    count: cython.int = cython.cast(cython.int, lua.checkinteger(L, 2))
    if count <= 0 or size == 0:
        lua.pushlstring(L, b"", 0)
        return 1
    if size > _MOST_BYTES // count:
        return lua.raise_error(L, b"not enough memory")
    total: cython.size_t = size * count
    made: cython.p_char = small
    if total > _SMALL:
        made = cython.cast(cython.p_char, lua.newuserdata(L, total))
    memcpy(made, text, size)
    while size < total:
        # What is there is put behind itself.
        part: cython.size_t = min(size, total - size)
        memcpy(made + size, made, part)
        size += part
    lua.pushlstring(L, made, total)
    return 1
