"""``xpcall``, for scripts that have to end when they are told to. It owns no Python reference."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import MEMORY_ERROR, MULTIPLE, State, lua, pop


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
