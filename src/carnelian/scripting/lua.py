"""Finds the Lua library in lupa's package and fills in :data:`lua`, the table of its functions.

The extension modules of lupa link Lua statically and export its C API. Nothing here runs lupa
itself: its module is opened as the shared library that it is.
"""

from __future__ import annotations

import importlib.util
import os

import cython
from cython.cimports.carnelian.scripting.lua import Api, lua
from cython.cimports.posix.dlfcn import RTLD_LOCAL, RTLD_NOW, dlerror, dlopen, dlsym

# The functions in the order of the members of `Api`.
_NAMES = [
    "lua_newstate",
    "lua_close",
    "lua_atpanic",
    "lua_gettop",
    "lua_settop",
    "lua_checkstack",
    "lua_pushvalue",
    "lua_remove",
    "lua_insert",
    "lua_replace",
    "lua_type",
    "lua_toboolean",
    "lua_tonumber",
    "lua_tolstring",
    "lua_touserdata",
    "lua_tocfunction",
    "lua_topointer",
    "lua_objlen",
    "lua_typename",
    "lua_isnumber",
    "lua_rawequal",
    "lua_pushnil",
    "lua_pushboolean",
    "lua_pushnumber",
    "lua_pushlstring",
    "lua_pushstring",
    "lua_pushfstring",
    "lua_pushcclosure",
    "lua_pushlightuserdata",
    "lua_newuserdata",
    "lua_concat",
    "lua_createtable",
    "lua_rawget",
    "lua_rawgeti",
    "lua_rawset",
    "lua_rawseti",
    "lua_next",
    "lua_getmetatable",
    "lua_setmetatable",
    "lua_getfield",
    "lua_setfield",
    "lua_call",
    "lua_pcall",
    "lua_cpcall",
    "lua_load",
    "lua_error",
    "lua_gc",
    "lua_getstack",
    "lua_getinfo",
    "lua_getlocal",
    "lua_sethook",
    "luaL_ref",
    "luaL_unref",
    "luaL_error",
    "luaL_argerror",
    "luaL_checktype",
    "luaL_checkany",
    "luaL_checknumber",
    "luaL_checkinteger",
    "luaL_optinteger",
    "luaL_checklstring",
    "luaL_where",
    "luaopen_base",
    "luaopen_table",
    "luaopen_string",
    "luaopen_math",
]

# Where another Lua is visible to all of the process, calls within the library would end up there.
_OWN_SYMBOLS_FIRST = cython.declare(cython.int, getattr(os, "RTLD_DEEPBIND", 0))

# What a machine without it is told, once for all.
_MISSING = "Lua is missing: install lupa with its module lua51 (pip install 'lupa>=2.7,<3')"

_loaded = cython.declare(cython.bint, False)


@cython.ccall
def load():
    """Take Lua from lupa's ``lua51``, once for the whole process.

    Raises ImportError, whose text is for users, if lupa is not installed, has no such library, or
    one without the C API.
    """
    global _loaded
    if _loaded:
        return
    try:
        spec = importlib.util.find_spec("lupa.lua51")
    except ImportError:
        spec = None
    if spec is None or not spec.origin:
        raise ImportError(_MISSING)
    path: bytes = os.fsencode(spec.origin)
    library: cython.p_void = dlopen(path, RTLD_NOW | RTLD_LOCAL | _OWN_SYMBOLS_FIRST)
    if library == cython.NULL:
        raise ImportError(f"{_MISSING}: {cython.cast(bytes, dlerror()).decode()}")
    table = cython.cast(cython.pp_void, cython.address(lua))
    assert cython.sizeof(Api) == len(_NAMES) * cython.sizeof(cython.p_void)
    for i in range(len(_NAMES)):
        symbol: bytes = _NAMES[i].encode()
        table[i] = dlsym(library, symbol)
        if table[i] == cython.NULL:
            raise ImportError(f"{_MISSING}: {spec.origin} exports no {_NAMES[i]}")
    _loaded = True
