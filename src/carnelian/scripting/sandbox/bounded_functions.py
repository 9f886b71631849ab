"""Functions of Lua that would let a script take the process along, or not be ended.

All functions here are called by Lua and own no Python reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import (
    MEMORY_ERROR,
    MULTIPLE,
    STRING,
    UPVALUE,
    CFunction,
    State,
    lua,
    pop,
)

# The matcher of Lua 5.1 calls itself for every part of a pattern that can be had more than once,
# left out or captured: some hundred thousand of those are the end of the thread's stack.
_MOST_PARTS = cython.declare(cython.int, 1000)


# -- Patterns --------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def matching(L: State) -> cython.int:
    """``string.find``, ``match``, ``gmatch`` and ``gsub``, for patterns that are no danger.

    Upvalues: context, the original, its address.
    """
    size: cython.size_t = 0
    i: cython.size_t
    parts: cython.int = 0
    if lua.type(L, 2) == STRING:
        pattern: cython.p_const_char = lua.tolstring(L, 2, cython.address(size))
        if size > cython.cast(cython.size_t, _MOST_PARTS):
            for i in range(size):
                if pattern[i] in (b"?"[0], b"*"[0], b"+"[0], b"-"[0], b"("[0], b")"[0]):
                    parts += 1
            if parts > _MOST_PARTS and not lua.toboolean(L, 4):
                return lua.raise_error(L, b"pattern too complex")
    return cython.cast(CFunction, lua.touserdata(L, UPVALUE - 2))(L)


# -- Errors ----------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def lua_xpcall(L: State) -> cython.int:
    """``xpcall``, whose handler is called when the error has come out.

    Where a script is ended from outside Lua would call it with no hook at work, and it might never
    return. Without the library ``debug`` it cannot tell the difference.
    """
    lua.checkany(L, 2)
    lua.settop(L, 2)
    lua.insert(L, 1)
    lua.pushboolean(L, 1)
    lua.insert(L, 2)
    status: cython.int = lua.pcall(L, 0, MULTIPLE, 0)
    if status == 0:
        return lua.gettop(L) - 1
    if status != MEMORY_ERROR:
        lua.pushvalue(L, 1)
        lua.insert(L, -2)
        if lua.pcall(L, 1, 1, 0) != 0:
            pop(L, 1)
            lua.pushstring(L, b"error in error handling")
    lua.pushboolean(L, 0)
    lua.insert(L, -2)
    return 2
