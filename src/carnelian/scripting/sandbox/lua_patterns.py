"""``string.find`` and its kin, with a limit for what a pattern may consist of.

Lua 5.1 matches each repeated item of a pattern with calls of C functions within each other, as many
as there are items: some 100,000 are more than a stack of C takes. Later versions of Lua have the
same limit and error.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import STRING, CFunction, State, lua, pop, set_function

# Items that may be repeated in one pattern.
_MOST_ITEMS = cython.declare(cython.size_t, 200)


# Lua's own, the same ones in all states.
_find = cython.declare(CFunction)
_match = cython.declare(CFunction)
_gmatch = cython.declare(CFunction)
_gsub = cython.declare(CFunction)


@cython.cfunc
@cython.exceptval(check=False)
def open_patterns(L: State) -> cython.void:
    """Replace the functions of the table on top of the stack."""
    global _find, _match, _gmatch, _gsub
    _find = _replace(L, b"find", lua_find)
    _match = _replace(L, b"match", lua_match)
    _gmatch = _replace(L, b"gmatch", lua_gmatch)
    _replace(L, b"gfind", lua_gmatch)
    _gsub = _replace(L, b"gsub", lua_gsub)


@cython.cfunc
@cython.exceptval(check=False)
def _replace(L: State, name: cython.p_const_char, function: CFunction) -> CFunction:
    lua.getfield(L, -1, name)
    replaced: CFunction = lua.tocfunction(L, -1)
    pop(L, 1)
    set_function(L, name, function)
    return replaced


@cython.cfunc
@cython.exceptval(check=False)
def lua_find(L: State) -> cython.int:
    """``string.find``; its fourth argument says whether there is a pattern at all."""
    if lua.objlen(L, 2) > _MOST_ITEMS and not lua.toboolean(L, 4):
        _check_pattern(L)
    return _find(L)


@cython.cfunc
@cython.exceptval(check=False)
def lua_match(L: State) -> cython.int:
    """``string.match``"""
    if lua.objlen(L, 2) > _MOST_ITEMS:
        _check_pattern(L)
    return _match(L)


@cython.cfunc
@cython.exceptval(check=False)
def lua_gmatch(L: State) -> cython.int:
    """``string.gmatch`` and ``gfind``, its older name."""
    if lua.objlen(L, 2) > _MOST_ITEMS:
        _check_pattern(L)
    return _gmatch(L)


@cython.cfunc
@cython.exceptval(check=False)
def lua_gsub(L: State) -> cython.int:
    """``string.gsub``"""
    if lua.objlen(L, 2) > _MOST_ITEMS:
        _check_pattern(L)
    return _gsub(L)


@cython.cfunc
@cython.exceptval(check=False)
def _check_pattern(L: State) -> cython.void:
    """Raise if the second argument is a pattern with too many items."""
    size: cython.size_t = 0
    if lua.type(L, 2) != STRING:
        return
    pattern = lua.tolstring(L, 2, cython.address(size))
    if _repeated(pattern, size) > _MOST_ITEMS:
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
