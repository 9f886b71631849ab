"""The globals of scripts: Lua's libraries without the parts that lead out, and our own.

All functions here are called by Lua, protected, and own no Python reference.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.context import Context
from cython.cimports.carnelian.scripting.libraries.bit_library import open_bit
from cython.cimports.carnelian.scripting.libraries.cjson import open_cjson
from cython.cimports.carnelian.scripting.libraries.cmsgpack import open_cmsgpack
from cython.cimports.carnelian.scripting.libraries.struct_library import open_struct
from cython.cimports.carnelian.scripting.lua import GLOBALS, CFunction, State, lua, pop
from cython.cimports.carnelian.scripting.sandbox.lua_functions import (
    lua_load,
    lua_loadstring,
    lua_newproxy,
    lua_pcall,
    lua_random,
    lua_randomseed,
    lua_rep,
    lua_unpack,
)
from cython.cimports.carnelian.scripting.sandbox.lua_patterns import open_patterns
from cython.cimports.carnelian.scripting.sandbox.lua_xpcall import lua_xpcall
from cython.cimports.carnelian.scripting.sandbox.os_library import open_os
from cython.cimports.carnelian.scripting.sandbox.proxies import (
    inserting,
    lock_global,
    metatable_of,
    pairs_of,
    reading,
    setting_environment,
    writing,
)

# Neither files nor the ways around the protection of globals; the last three can be asked for.
_FORBIDDEN = cython.declare(cython.p_const_char[8])
_FORBIDDEN[0], _FORBIDDEN[1], _FORBIDDEN[2], _FORBIDDEN[3] = (
    b"dofile",
    b"loadfile",
    b"print",
    b"require",
)
_FORBIDDEN[4], _FORBIDDEN[5], _FORBIDDEN[6], _FORBIDDEN[7] = (
    b"module",
    b"newproxy",
    b"getfenv",
    b"setfenv",
)


@cython.cfunc
@cython.exceptval(check=False)
def open_libraries(L: State, context: cython.pointer[Context]) -> cython.void:
    """Open the libraries, and replace or remove what scripts must not have as it is."""
    i: cython.int
    _open(L, lua.open_base)
    _open(L, lua.open_table)
    _open(L, lua.open_string)
    _open(L, lua.open_math)
    for i in range(5 if context.deprecated else 8):
        lua.pushnil(L)
        lua.setfield(L, GLOBALS, _FORBIDDEN[i])
    if context.deprecated:
        _set(L, context, b"newproxy", lua_newproxy)
        _replace(L, context, b"", b"setfenv", setting_environment, b"", b"setfenv")
    _set(L, context, b"pcall", lua_pcall)
    _set(L, context, b"loadstring", lua_loadstring)
    _set(L, context, b"unpack", lua_unpack)
    _set(L, context, b"getmetatable", metatable_of)
    _replace(L, context, b"", b"load", lua_load, b"table", b"concat")
    _replace(L, context, b"", b"pairs", pairs_of, b"", b"pairs")
    _replace(L, context, b"", b"next", reading, b"", b"next")
    _replace(L, context, b"", b"rawget", reading, b"", b"rawget")
    _replace(L, context, b"", b"rawset", writing, b"", b"rawset")
    _replace(L, context, b"", b"setmetatable", writing, b"", b"setmetatable")
    _replace(L, context, b"table", b"foreach", reading, b"table", b"foreach")
    _set(L, context, b"xpcall", lua_xpcall)
    _replace(L, context, b"table", b"insert", inserting, b"table", b"insert")
    lua.getfield(L, GLOBALS, b"string")
    open_patterns(L)
    add_function(L, context, b"rep", lua_rep)
    pop(L, 1)
    lua.getfield(L, GLOBALS, b"math")
    add_function(L, context, b"random", lua_random)
    add_function(L, context, b"randomseed", lua_randomseed)
    pop(L, 1)
    open_os(L)
    lua.setfield(L, GLOBALS, b"os")
    open_cjson(L, context)
    lua.setfield(L, GLOBALS, b"cjson")
    open_cmsgpack(L)
    lua.setfield(L, GLOBALS, b"cmsgpack")
    open_struct(L)
    lua.setfield(L, GLOBALS, b"struct")
    open_bit(L)
    lua.setfield(L, GLOBALS, b"bit")


@cython.cfunc
@cython.exceptval(check=False)
def lock_libraries(L: State, context: cython.pointer[Context]) -> cython.void:
    """Let nobody change the libraries from now on."""
    lock_global(L, context, b"table")
    lock_global(L, context, b"string")
    lock_global(L, context, b"math")
    lock_global(L, context, b"cmsgpack")
    lock_global(L, context, b"struct")
    lock_global(L, context, b"bit")
    lock_global(L, context, b"os")
    lock_global(L, context, b"coroutine")
    lock_global(L, context, b"cjson")


@cython.cfunc
@cython.exceptval(check=False)
def _open(L: State, library: CFunction) -> cython.void:
    lua.pushcclosure(L, library, 0)
    lua.pushlstring(L, b"", 0)
    lua.call(L, 1, 0)


@cython.cfunc
@cython.exceptval(check=False)
def add_function(
    L: State, context: cython.pointer[Context], name: cython.p_const_char, function: CFunction
) -> cython.void:
    """Add a function that has the context to the table on top of the stack."""
    lua.pushlightuserdata(L, context)
    lua.pushcclosure(L, function, 1)
    lua.setfield(L, -2, name)


@cython.cfunc
@cython.exceptval(check=False)
def _set(
    L: State, context: cython.pointer[Context], name: cython.p_const_char, function: CFunction
) -> cython.void:
    lua.pushvalue(L, GLOBALS)
    add_function(L, context, name, function)
    pop(L, 1)


@cython.cfunc
@cython.exceptval(check=False)
def _push_library(L: State, name: cython.p_const_char) -> cython.void:
    if name[0] == 0:
        lua.pushvalue(L, GLOBALS)
    else:
        lua.getfield(L, GLOBALS, name)


@cython.cfunc
@cython.exceptval(check=False)
def _replace(
    L: State,
    context: cython.pointer[Context],
    library: cython.p_const_char,
    name: cython.p_const_char,
    function: CFunction,
    used_library: cython.p_const_char,
    used: cython.p_const_char,
) -> cython.void:
    """Put our function in place of one of Lua's. Its upvalues: context, another one, its address.

    The other one is what ours goes on with, mostly the one that it replaces.
    """
    _push_library(L, library)
    lua.pushlightuserdata(L, context)
    _push_library(L, used_library)
    lua.getfield(L, -1, used)
    lua.remove(L, -2)
    lua.pushlightuserdata(L, cython.cast(cython.p_void, lua.tocfunction(L, -1)))
    lua.pushcclosure(L, function, 3)
    lua.setfield(L, -2, name)
    pop(L, 1)
