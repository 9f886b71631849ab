"""Coroutines that a script does not get out of reach by.

Each coroutine counts instructions by itself, from nothing, before its hook asks whether the script
may go on. Where many are begun and none of them lasts, nobody would ever ask; so this is done here,
too, before one goes on.

All functions here are called by Lua and own no Python reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.redis_calls import interval_hook
from cython.cimports.carnelian.scripting.chunks import load_text
from cython.cimports.carnelian.scripting.context import Context
from cython.cimports.carnelian.scripting.lua import (
    FUNCTION,
    GLOBALS,
    UPVALUE,
    CFunction,
    State,
    lua,
    pop,
)

# Coroutines that may go on between two looks at the time.
_STARTS = cython.declare(cython.uint, 512)

_started = cython.declare(cython.uint, 0)


@cython.cfunc
@cython.exceptval(check=False)
def watch_coroutines(L: State, context: cython.pointer[Context]) -> cython.void:
    """Put our ``coroutine.resume`` and ``coroutine.wrap`` in place of Lua's."""
    lua.getfield(L, GLOBALS, b"coroutine")
    lua.pushnil(L)
    lua.getfield(L, -2, b"resume")
    _push_address(L, context)
    lua.pushcclosure(L, _go_on_with, 3)
    lua.setfield(L, -2, b"resume")
    lua.getfield(L, -1, b"create")
    # What Lua's `wrap` makes is a function that has the coroutine as its upvalue; so has ours.
    lua.getfield(L, -2, b"wrap")
    if load_text(L, b"", 0, b"=wrap") != 0:
        lua.error(L)
    lua.call(L, 1, 1)
    _push_address(L, context)
    lua.pushcclosure(L, _wrap, 3)
    lua.setfield(L, -2, b"wrap")
    pop(L, 1)


@cython.cfunc
@cython.exceptval(check=False)
def _push_address(L: State, context: cython.pointer[Context]) -> cython.void:
    """Put the address of the C function on top of the stack in its place, and the context on it."""
    lua.pushlightuserdata(L, cython.cast(cython.p_void, lua.tocfunction(L, -1)))
    lua.remove(L, -2)
    lua.pushlightuserdata(L, context)


@cython.cfunc
@cython.exceptval(check=False)
def _wrap(L: State) -> cython.int:
    """``coroutine.wrap``. Upvalues: ``coroutine.create``, what goes on with one, context."""
    if lua.type(L, 1) != FUNCTION or lua.tocfunction(L, 1) != cython.NULL:
        return lua.argerror(L, 1, b"Lua function expected")
    lua.settop(L, 1)
    lua.pushvalue(L, UPVALUE)
    lua.insert(L, 1)
    lua.call(L, 1, 1)
    lua.pushvalue(L, UPVALUE - 1)
    lua.pushvalue(L, UPVALUE - 2)
    lua.pushcclosure(L, _go_on_with, 3)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _go_on_with(L: State) -> cython.int:
    """Upvalues: a coroutine or nil, Lua's function that goes on with one, context."""
    global _started
    context = cython.cast(cython.pointer[Context], lua.touserdata(L, UPVALUE - 2))
    _started += 1
    if context.ending or _started % _STARTS == 0:
        interval_hook(L, cython.NULL)
    return cython.cast(CFunction, lua.touserdata(L, UPVALUE - 1))(L)
