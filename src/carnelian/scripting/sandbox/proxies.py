"""Tables that scripts cannot change.

Redis has a flag in its tables that makes them read-only. Here a locked table is hidden behind an
empty *proxy* whose metatable reads from it and refuses to write. The few functions that look at or
write to a table without asking its metatable are replaced: they know the proxies by their address.
No script ever gets hold of a real table behind a proxy.

All functions here are called by Lua and own no Python reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import (
    GLOBALS,
    NIL,
    NUMBER,
    REGISTRY,
    STRING,
    UPVALUE,
    CFunction,
    State,
    lua,
    pop,
)

# Where elements may be inserted.
_LOWEST = cython.declare(cython.double, -1000)
_HIGHEST = cython.declare(cython.double, 2147483647)
_READ_ONLY = cython.declare(cython.p_const_char, b"Attempt to modify a readonly table")


@cython.cfunc
@cython.exceptval(check=False)
def lock_table(L: State, context: cython.pointer[Context]) -> cython.void:
    """Replace the table on top of the stack by a proxy of it."""
    lua.createtable(L, 0, 0)
    lua.createtable(L, 0, 2)
    lua.pushvalue(L, -3)
    lua.setfield(L, -2, b"__index")
    lua.pushcclosure(L, _refuse, 0)
    lua.setfield(L, -2, b"__newindex")
    lua.setmetatable(L, -2)
    context.locked[context.locked_count] = lua.topointer(L, -1)
    lua.insert(L, -2)
    context.real[context.locked_count] = lua.ref(L, REGISTRY)
    context.locked_count += 1


@cython.cfunc
@cython.exceptval(check=False)
def lock_global(
    L: State, context: cython.pointer[Context], name: cython.p_const_char
) -> cython.void:
    """Lock a global table."""
    lua.getfield(L, GLOBALS, name)
    lock_table(L, context)
    lua.setfield(L, GLOBALS, name)


@cython.cfunc
@cython.exceptval(check=False)
def lock_globals(L: State, context: cython.pointer[Context]) -> cython.void:
    """Have scripts see a proxy of the globals, where what is missing is an error."""
    # What getmetatable shows of strings, and of the globals.
    lua.createtable(L, 0, 1)
    lua.getfield(L, GLOBALS, b"string")
    lua.setfield(L, -2, b"__index")
    lock_table(L, context)
    context.string_view = lua.ref(L, REGISTRY)
    lua.createtable(L, 0, 1)
    lua.pushcclosure(L, refuse_missing, 0)
    lua.setfield(L, -2, b"__index")
    lua.pushvalue(L, -1)
    lock_table(L, context)
    context.globals_view = lua.ref(L, REGISTRY)
    _make_array_mark(L, context)
    lua.pushvalue(L, GLOBALS)
    lua.insert(L, -2)
    lua.setmetatable(L, -2)
    lua.pushvalue(L, -1)
    context.globals = lua.ref(L, REGISTRY)
    context.globals_index = context.locked_count
    lua.pushvalue(L, -1)
    lock_table(L, context)
    lua.pushvalue(L, -1)
    lua.setfield(L, -3, b"_G")
    lua.replace(L, GLOBALS)
    pop(L, 1)


@cython.cfunc
@cython.exceptval(check=False)
def _make_array_mark(L: State, context: cython.pointer[Context]) -> cython.void:
    """Make the metatable of arrays that cjson has decoded."""
    lua.createtable(L, 0, 1)
    lua.pushboolean(L, 1)
    lua.setfield(L, -2, b"__is_cjson_array")
    lock_table(L, context)
    context.array_mark_address = lua.topointer(L, -1)
    context.array_mark = lua.ref(L, REGISTRY)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _which(L: State, context: cython.pointer[Context]) -> cython.int:
    """Which of the proxies the first argument is, -1 if none."""
    table: cython.p_const_void = lua.topointer(L, 1)
    i: cython.int
    for i in range(context.locked_count):
        if context.locked[i] == table:
            return i
    return -1


@cython.cfunc
@cython.exceptval(check=False)
def _refuse(L: State) -> cython.int:
    return lua.raise_error(L, _READ_ONLY)


@cython.cfunc
@cython.exceptval(check=False)
def refuse_missing(L: State) -> cython.int:
    """``__index`` of tables where what is missing is an error. Arguments: table, name."""
    if lua.gettop(L) != 2:
        return lua.raise_error(L, b"Wrong number of arguments to luaProtectedTableError")
    if lua.type(L, 2) != STRING and lua.type(L, 2) != NUMBER:
        return lua.raise_error(
            L, b"Second argument to luaProtectedTableError must be a string or number"
        )
    return lua.raise_error(
        L,
        b"Script attempted to access nonexistent global variable '%s'",
        lua.tolstring(L, 2, cython.NULL),
    )


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _go_on(L: State) -> cython.int:
    """Leave the call to the function that this one replaces."""
    return cython.cast(CFunction, lua.touserdata(L, UPVALUE - 2))(L)


@cython.cfunc
@cython.exceptval(check=False)
def writing(L: State) -> cython.int:
    """A function that would write to the table that is its first argument."""
    if _which(L, context_of(L)) >= 0:
        lua.pushstring(L, _READ_ONLY)
        return lua.error(L)
    return _go_on(L)


@cython.cfunc
@cython.exceptval(check=False)
def inserting(L: State) -> cython.int:
    """``table.insert``: all elements from a position on move, be there any or not."""
    if lua.gettop(L) == 3 and lua.isnumber(L, 2):
        position: cython.double = lua.tonumber(L, 2)
        if not _LOWEST <= position <= _HIGHEST:
            return lua.argerror(L, 2, b"position out of bounds")
    return writing(L)


@cython.cfunc
@cython.exceptval(check=False)
def reading(L: State) -> cython.int:
    """A function that reads from the table that is its first argument."""
    context: cython.pointer[Context] = context_of(L)
    which: cython.int = _which(L, context)
    if which >= 0:
        lua.rawgeti(L, REGISTRY, context.real[which])
        lua.replace(L, 1)
    return _go_on(L)


@cython.cfunc
@cython.exceptval(check=False)
def setting_environment(L: State) -> cython.int:
    """``setfenv``, but for the environment of all that is to come."""
    if lua.isnumber(L, 1) and lua.tonumber(L, 1) == 0:
        return lua.raise_error(L, _READ_ONLY)
    return _go_on(L)


@cython.cfunc
@cython.exceptval(check=False)
def pairs_of(L: State) -> cython.int:
    """``pairs``"""
    if _which(L, context_of(L)) < 0:
        return _original_pairs(L)
    lua.getfield(L, GLOBALS, b"next")
    lua.pushvalue(L, 1)
    lua.pushnil(L)
    return 3


@cython.cfunc
@cython.exceptval(check=False)
def _original_pairs(L: State) -> cython.int:
    # It has an upvalue of its own, so that it has to be called as a closure.
    lua.settop(L, 1)
    lua.pushvalue(L, UPVALUE - 1)
    lua.insert(L, 1)
    lua.call(L, 1, 3)
    return 3


@cython.cfunc
@cython.exceptval(check=False)
def metatable_of(L: State) -> cython.int:
    """``getmetatable``"""
    context: cython.pointer[Context] = context_of(L)
    which: cython.int
    lua.checkany(L, 1)
    if lua.type(L, 1) == STRING:
        lua.rawgeti(L, REGISTRY, context.string_view)
        return 1
    which = _which(L, context)
    if which == context.globals_index:
        lua.rawgeti(L, REGISTRY, context.globals_view)
    elif which >= 0 or lua.getmetatable(L, 1) == 0:
        lua.pushnil(L)
    else:
        lua.pushstring(L, b"__metatable")
        lua.rawget(L, -2)
        if lua.type(L, -1) == NIL:
            pop(L, 1)
    return 1
