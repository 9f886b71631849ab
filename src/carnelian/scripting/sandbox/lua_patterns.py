"""``string.find`` and its kin, with a limit for what a pattern may consist of.

Lua 5.1 matches each repeated item of a pattern with calls of C functions within each other, as many
as there are items: some 100,000 are more than a stack of C takes. Later versions of Lua have the
same limit and error.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import STRING, UPVALUE, CFunction, State, lua

# Items that may be repeated in one pattern.
_MOST_ITEMS = cython.declare(cython.size_t, 200)


@cython.cfunc
@cython.exceptval(check=False)
def lua_find(L: State) -> cython.int:
    """``string.find``; its fourth argument says whether there is a pattern at all."""
    if not lua.toboolean(L, 4):
        _check_pattern(L)
    return cython.cast(CFunction, lua.touserdata(L, UPVALUE - 2))(L)


@cython.cfunc
@cython.exceptval(check=False)
def lua_matching(L: State) -> cython.int:
    """``string.match``, ``gmatch``, ``gfind`` and ``gsub``."""
    _check_pattern(L)
    return cython.cast(CFunction, lua.touserdata(L, UPVALUE - 2))(L)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _check_pattern(L: State) -> cython.void:
    size: cython.size_t = 0
    if lua.type(L, 2) != STRING:
        return
    pattern = lua.tolstring(L, 2, cython.address(size))
    if size > _MOST_ITEMS and _repeated(pattern, size) > _MOST_ITEMS:
        lua.raise_error(L, b"pattern too complex")


@cython.cfunc
@cython.exceptval(check=False)
def _repeated(pattern: cython.p_const_char, size: cython.size_t) -> cython.size_t:
    """How many items of a pattern are repeated, or a little more."""
    count: cython.size_t = 0
    i: cython.size_t = 0
    while i < size:
        char: cython.char = pattern[i]
        if char == b"%"[0]:
            i += 1
        elif char == b"*"[0] or char == b"+"[0] or char == b"-"[0] or char == b"?"[0]:
            count += 1
        i += 1
    return count
