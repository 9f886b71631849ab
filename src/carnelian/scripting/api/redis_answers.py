"""The functions of ``redis`` that run no command. As in :mod:`redis_calls`, what Lua may jump out
of owns no Python reference, and what touches Python objects raises nothing in Lua.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.shared.effects import FOR_ALL
from cython.cimports.carnelian.scripting.api.redis_calls import take_words
from cython.cimports.carnelian.scripting.api.reply_pushing import push_field
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.borrowed import PyObject, bytes_size, bytes_text
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import NUMBER, STRING, State, lua
from cython.cimports.libc.string import strlen

from carnelian.datatypes.base.digest import sha1
from carnelian.resp.replies import Error

_WRONG_ARGUMENTS = cython.declare(cython.p_const_char, b"ERR wrong number or type of arguments")
_NO_MEMORY = cython.declare(cython.p_const_char, b"ERR not enough memory")
_MOST_LEVEL = cython.declare(cython.int, 3)


@cython.cfunc
@cython.exceptval(check=False)
def _raise(L: State, message: cython.p_const_char) -> cython.int:
    """Raise a table with the message, as commands that fail do."""
    push_field(L, b"err", message, strlen(message))
    return lua.error(L)


# -- Replies ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def redis_status_reply(L: State) -> cython.int:
    """``redis.status_reply(text)``"""
    if lua.gettop(L) != 1 or lua.type(L, 1) != STRING:
        push_field(L, b"err", _WRONG_ARGUMENTS, strlen(_WRONG_ARGUMENTS))
        return 1
    lua.createtable(L, 0, 1)
    lua.pushvalue(L, 1)
    lua.setfield(L, -2, b"ok")
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def redis_error_reply(L: State) -> cython.int:
    """``redis.error_reply(text)``: what has no code gets ERR."""
    if lua.gettop(L) != 1 or lua.type(L, 1) != STRING:
        push_field(L, b"err", _WRONG_ARGUMENTS, strlen(_WRONG_ARGUMENTS))
        return 1
    text: cython.p_const_char = lua.tolstring(L, 1, cython.NULL)
    if text[0] == b"-"[0]:
        text += 1
    lua.createtable(L, 0, 1)
    lua.pushfstring(L, b"%s%s", b"" if _has_code(text) else b"ERR ", text)
    lua.setfield(L, -2, b"err")
    return 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _has_code(text: cython.p_const_char) -> cython.bint:
    while text[0]:
        if text[0] == b" "[0]:
            return True
        text += 1
    return False


# -- Texts -----------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def redis_sha1hex(L: State) -> cython.int:
    """``redis.sha1hex(text)``"""
    context: cython.pointer[Context] = context_of(L)
    size: cython.size_t = 0
    if lua.gettop(L) != 1:
        return _raise(L, b"ERR wrong number of arguments")
    text: cython.p_const_char = lua.tolstring(L, 1, cython.address(size))
    if not _hash(context, text, size):
        return _raise(L, _NO_MEMORY)
    lua.pushlstring(L, bytes_text(context.reply), bytes_size(context.reply))
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _hash(
    context: cython.pointer[Context], text: cython.p_const_char, size: cython.size_t
) -> cython.bint:
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        host.reply = sha1(text[:size] if text != cython.NULL else b"").hexdigest().encode()
        context.reply = cython.cast(cython.pointer[PyObject], host.reply)
        return True
    except BaseException as failure:
        host.failure = failure
        return False


@cython.cfunc
@cython.exceptval(check=False)
def redis_log(L: State) -> cython.int:
    """``redis.log(level, text, ...)``"""
    count: cython.int = lua.gettop(L)
    i: cython.int
    parts: cython.int = 0
    size: cython.size_t = 0
    if count < 2:
        return _raise(L, b"ERR redis.log() requires two arguments or more.")
    if lua.isnumber(L, 1) == 0:
        return _raise(L, b"ERR First argument must be a number (log level).")
    level = cython.cast(cython.int, lua.tonumber(L, 1))
    if level < 0 or level > _MOST_LEVEL:
        return _raise(L, b"ERR Invalid debug level.")
    if lua.checkstack(L, 2 * count) == 0:
        return _raise(L, _NO_MEMORY)
    for i in range(2, count + 1):
        if lua.type(L, i) != STRING and lua.type(L, i) != NUMBER:
            continue
        if parts:
            lua.pushlstring(L, b" ", 1)
            parts += 1
        lua.pushvalue(L, i)
        parts += 1
    lua.concat(L, parts)
    text: cython.p_const_char = lua.tolstring(L, -1, cython.address(size))
    _write_log(context_of(L), level, text, size)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _write_log(
    context: cython.pointer[Context],
    level: cython.int,
    text: cython.p_const_char,
    size: cython.size_t,
) -> cython.void:
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        host.log(level, text[:size])
    except BaseException as failure:
        host.note_failure(failure)


# -- Settings of the script ------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def redis_setresp(L: State) -> cython.int:
    """``redis.setresp(2)`` or 3: what replies of commands look like from now on."""
    if lua.gettop(L) != 1:
        return _raise(L, b"ERR redis.setresp() requires one argument.")
    number: cython.double = lua.tonumber(L, 1)
    if number != 2 and number != 3:
        return _raise(L, b"ERR RESP version must be 2 or 3.")
    _set_protocol(context_of(L), cython.cast(cython.int, number))
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _set_protocol(context: cython.pointer[Context], protocol: cython.int) -> cython.void:
    cython.cast(ScriptHost, context.host).session.protocol = protocol


@cython.cfunc
@cython.exceptval(check=False)
def redis_set_repl(L: State) -> cython.int:
    """``redis.set_repl(redis.REPL_NONE)`` and the like: who is told of what is written."""
    if lua.gettop(L) != 1:
        return _raise(L, b"ERR redis.set_repl() requires two arguments.")
    wanted = cython.cast(cython.int, lua.tonumber(L, 1))
    if wanted & ~FOR_ALL:
        return _raise(
            L, b"ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."
        )
    _set_replication(context_of(L), wanted)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _set_replication(context: cython.pointer[Context], wanted: cython.int) -> cython.void:
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        host.replicate(wanted)
    except BaseException as failure:
        host.note_failure(failure)


@cython.cfunc
@cython.exceptval(check=False)
def redis_replicate_commands(L: State) -> cython.int:
    """``redis.replicate_commands()``: nothing else is done any more."""
    lua.pushboolean(L, 1)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def redis_acl_check_cmd(L: State) -> cython.int:
    """``redis.acl_check_cmd(name, ...)``: whether the user may run it."""
    context: cython.pointer[Context] = context_of(L)
    status: cython.int = _check(context, L)
    if status < 0:
        push_field(L, b"err", bytes_text(context.reply), bytes_size(context.reply))
        return lua.error(L)
    lua.pushboolean(L, status)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def _check(context: cython.pointer[Context], L: State) -> cython.int:
    """1 if the command may be run, 0 if not; -1 with an error left in the host's reply."""
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        words: list = take_words(context, L)
        if words is not None:
            return 1 if host.may_run(words) else 0
        host.reply = (
            b"ERR Lua redis lib command arguments must be strings or integers"
            if lua.gettop(L)
            else b"ERR Please specify at least one argument for this redis lib call"
        )
    except Error as error:
        host.reply = error.message
    except BaseException as failure:
        host.failure = failure
        host.reply = b"ERR interrupted"
    context.reply = cython.cast(cython.pointer[PyObject], host.reply)
    return -1


# -- The debugger ----------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def redis_breakpoint(L: State) -> cython.int:
    """``redis.breakpoint()``: false, for nobody debugs."""
    lua.pushboolean(L, 0)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def redis_debug(L: State) -> cython.int:
    """``redis.debug(value, ...)``: nobody sees it."""
    return 0
