"""The table ``redis``, which is ``server`` as well."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.redis_answers import (
    redis_acl_check_cmd,
    redis_breakpoint,
    redis_debug,
    redis_error_reply,
    redis_log,
    redis_replicate_commands,
    redis_set_repl,
    redis_setresp,
    redis_sha1hex,
    redis_status_reply,
)
from cython.cimports.carnelian.scripting.api.redis_calls import redis_call, redis_pcall
from cython.cimports.carnelian.scripting.api.registering import redis_register_function
from cython.cimports.carnelian.scripting.context import Context
from cython.cimports.carnelian.scripting.lua import GLOBALS, REGISTRY, State, lua
from cython.cimports.carnelian.scripting.sandbox.lua_globals import add_function
from cython.cimports.carnelian.scripting.sandbox.proxies import lock_table, refuse_missing


@cython.cfunc
@cython.exceptval(check=False)
def open_redis(L: State, context: cython.pointer[Context], functions: cython.bint) -> cython.void:
    """Set the global table; that of functions lacks what only EVAL ever had."""
    lua.createtable(L, 0, 24)
    add_function(L, context, b"call", redis_call)
    add_function(L, context, b"pcall", redis_pcall)
    add_function(L, context, b"sha1hex", redis_sha1hex)
    add_function(L, context, b"error_reply", redis_error_reply)
    add_function(L, context, b"status_reply", redis_status_reply)
    add_function(L, context, b"setresp", redis_setresp)
    add_function(L, context, b"set_repl", redis_set_repl)
    add_function(L, context, b"acl_check_cmd", redis_acl_check_cmd)
    _add_log(L, context)
    _number(L, b"REPL_NONE", 0)
    _number(L, b"REPL_AOF", 1)
    _number(L, b"REPL_SLAVE", 2)
    _number(L, b"REPL_REPLICA", 2)
    _number(L, b"REPL_ALL", 3)
    if not functions:
        add_function(L, context, b"replicate_commands", redis_replicate_commands)
        add_function(L, context, b"breakpoint", redis_breakpoint)
        add_function(L, context, b"debug", redis_debug)
    lock_table(L, context)
    lua.pushvalue(L, -1)
    lua.setfield(L, GLOBALS, b"server")
    lua.setfield(L, GLOBALS, b"redis")


@cython.cfunc
@cython.exceptval(check=False)
def open_loading_api(L: State, context: cython.pointer[Context]) -> cython.void:
    """Make the globals of a library while it is loaded: there is nothing but this."""
    lua.createtable(L, 0, 2)
    lua.createtable(L, 0, 8)
    add_function(L, context, b"register_function", redis_register_function)
    _add_log(L, context)
    _complain_of_missing(L)
    lock_table(L, context)
    lua.pushvalue(L, -1)
    lua.setfield(L, -3, b"server")
    lua.setfield(L, -2, b"redis")
    _complain_of_missing(L)
    context.loading_api = lua.ref(L, REGISTRY)


@cython.cfunc
@cython.exceptval(check=False)
def _add_log(L: State, context: cython.pointer[Context]) -> cython.void:
    add_function(L, context, b"log", redis_log)
    _number(L, b"LOG_DEBUG", 0)
    _number(L, b"LOG_VERBOSE", 1)
    _number(L, b"LOG_NOTICE", 2)
    _number(L, b"LOG_WARNING", 3)
    _number(L, b"REDIS_VERSION_NUM", context.version_number)
    lua.pushstring(L, context.version)
    lua.setfield(L, -2, b"REDIS_VERSION")


@cython.cfunc
@cython.exceptval(check=False)
def _number(L: State, name: cython.p_const_char, number: cython.int) -> cython.void:
    lua.pushnumber(L, number)
    lua.setfield(L, -2, name)


@cython.cfunc
@cython.exceptval(check=False)
def _complain_of_missing(L: State) -> cython.void:
    """Have the table on top of the stack complain where something is missing."""
    lua.createtable(L, 0, 1)
    lua.pushcclosure(L, refuse_missing, 0)
    lua.setfield(L, -2, b"__index")
    lua.setmetatable(L, -2)
