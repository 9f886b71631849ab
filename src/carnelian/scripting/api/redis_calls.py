"""``redis.call`` and ``redis.pcall``, and the hook that ends scripts.

Lua reports errors with ``longjmp``. Two rules keep that away from Python's references:

* A function that calls what may raise in Lua (R in ``lua.pxd``) owns no Python reference. It works
  on borrowed pointers, into objects that the host keeps for the time of a run.
* A function that touches Python objects calls nothing in Lua that raises, and lets no exception
  out: it returns a status, and its caller, of the first kind, raises in Lua.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.arguments import name, obtain, put, recycle, renew
from cython.cimports.carnelian.resp.replies import Error
from cython.cimports.carnelian.scripting.api.reply_pushing import (
    is_plain,
    push_field,
    push_reply,
    simplified,
)
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.borrowed import PyObject, bytes_size, bytes_text
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import (
    MASK_LINE,
    NUMBER,
    REGISTRY,
    STRING,
    Hook,
    State,
    lua,
    pop,
)
from cython.cimports.carnelian.scripting.lua_memory import copies_allowed
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.string import strlen

# What a command comes to.
_REPLY = cython.declare(cython.int, 0)
_FAILED = cython.declare(cython.int, 1)
_BROKEN = cython.declare(cython.int, 2)

_NOT_STRINGS = b"ERR Lua redis lib command arguments must be strings or integers"
_NO_WORDS = b"ERR Please specify at least one argument for this redis lib call"
_INTERRUPTED = cython.declare(cython.p_const_char, b"ERR interrupted")
_TOO_DEEP = cython.declare(cython.p_const_char, b"ERR reached lua stack limit")
_KILLED = cython.declare(cython.p_const_char, b"ERR Script killed by user with SCRIPT KILL...")
_LOADED_TOO_LONG = cython.declare(cython.p_const_char, b"ERR FUNCTION LOAD timeout")
# Bytes of words that nobody counts.
_MUCH = cython.declare(cython.Py_ssize_t, 1 << 20)
_context_key = cython.declare(cython.char)

# -- Functions for Lua; these own no Python reference ----------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def redis_call(L: State) -> cython.int:
    """``redis.call(name, ...)``"""
    return _command(L, True)


@cython.cfunc
@cython.exceptval(check=False)
def redis_pcall(L: State) -> cython.int:
    """``redis.pcall(name, ...)``"""
    return _command(L, False)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _command(L: State, raising: cython.bint) -> cython.int:
    context: cython.pointer[Context] = context_of(L)
    if context.ending:
        # Another coroutine was told to end: this one does not go on either.
        push_field(L, b"err", context.ending_text, strlen(context.ending_text))
        return lua.error(L)
    status: cython.int = _run_command(context, L)
    lua.settop(L, 0)
    if status == _REPLY:
        if push_reply(L, context.reply, context.protocol):
            return 1
        lua.settop(L, 0)
        status = _FAILED
        push_field(L, b"err", _TOO_DEEP, strlen(_TOO_DEEP))
    else:
        push_field(L, b"err", bytes_text(context.reply), bytes_size(context.reply))
        lua.pushboolean(L, 1)
        lua.setfield(L, -2, b"ignore_error_stats_update")
    if status == _BROKEN:
        context.ending_text = _INTERRUPTED
        end_script(context, L)
    if raising or status == _BROKEN:
        return lua.error(L)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def end_script(context: cython.pointer[Context], L: State) -> cython.void:
    """Have every line of the script raise from now on: no pcall of it can go on."""
    context.ending = True
    lua.sethook(L, cython.cast(Hook, interval_hook), MASK_LINE, 0)
    # What has resumed a coroutine must not go on either.
    lua.sethook(context.L, cython.cast(Hook, interval_hook), MASK_LINE, 0)


@cython.cfunc
@cython.exceptval(check=False)
def interval_hook(L: State, where: cython.p_void) -> cython.void:
    """Ask the host from time to time whether the script may go on."""
    lua.pushlightuserdata(L, cython.address(_context_key))
    lua.rawget(L, REGISTRY)
    context = cython.cast(cython.pointer[Context], lua.touserdata(L, -1))
    pop(L, 1)
    if not context.running:
        return
    if context.ending or not _ask_whether_to_go_on(context):
        end_script(context, L)
        push_field(L, b"err", context.ending_text, strlen(context.ending_text))
        lua.error(L)


@cython.cfunc
@cython.exceptval(check=False)
def remember_context(L: State) -> cython.int:
    """Have the registry know the context, for the hook, which has no upvalue."""
    lua.pushlightuserdata(L, cython.address(_context_key))
    lua.pushvalue(L, 1)
    lua.rawset(L, REGISTRY)
    return 0


# -- The host's side; nothing here raises in Lua ---------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def _run_command(context: cython.pointer[Context], L: State) -> cython.int:
    """Run the command whose words are on the stack; leaves the reply with the host."""
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    status: cython.int = _REPLY
    try:
        words: list = take_words(context, L)
        if words is None:
            host.reply = _NOT_STRINGS if lua.gettop(L) else _NO_WORDS
            status = _FAILED
        else:
            context.protocol = host.session.protocol
            reply = host.execute(words)
            recycle(words)
            if host.engine.interrupts:
                # It came out of other people's code, and comes out of the engine when the script
                # has ended.
                host.reply, status = b"ERR interrupted", _BROKEN
            elif is_plain(cython.cast(cython.pointer[PyObject], reply), context.protocol):
                host.reply = reply
            elif isinstance(reply, Error):
                host.reply, status = cython.cast(Error, reply).message, _FAILED
            else:
                host.reply = simplified(reply, context.protocol)
    except MemoryError:
        host.reply, status = b"ERR not enough memory", _FAILED
    except BaseException as failure:
        host.failure = failure
        host.reply, status = b"ERR interrupted", _BROKEN
    context.reply = cython.cast(cython.pointer[PyObject], host.reply)
    return status


@cython.cfunc
@cython.exceptval(check=False)
def _ask_whether_to_go_on(context: cython.pointer[Context]) -> cython.bint:
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        context.ending_text = _KILLED if host.registrar is None else _LOADED_TOO_LONG
        return host.goes_on()
    except BaseException as failure:
        host.failure = failure
        context.ending_text = _INTERRUPTED
        return False


@cython.cfunc
def take_words(context: cython.pointer[Context], L: State) -> list | None:
    """What is on the stack as words; None if nothing is, or if something is no word.

    Raises MemoryError if they are too long all together.
    """
    count: cython.int = lua.gettop(L)
    i: cython.int
    size: cython.size_t = 0
    total: cython.Py_ssize_t = 0
    kind: cython.int
    if count == 0:
        return None
    words: list = obtain(count)
    for i in range(count):
        kind = lua.type(L, i + 1)
        if kind == STRING:
            text = lua.tolstring(L, i + 1, cython.address(size))
            total += size
            if total > _MUCH and total > copies_allowed(cython.address(context.budget)):
                raise MemoryError
            if i == 0:
                put(words, 0, name(text, size))
            else:
                renew(words, i, text, size)
        elif kind == NUMBER:
            put(words, i, _number_text(lua.tonumber(L, i + 1)))
        else:
            return None
    return words


@cython.cfunc
def _number_text(number: cython.double) -> bytes:
    """``%.17g`` of a number; integers take the short way."""
    text = cython.declare(cython.char[40])
    at: cython.int = 40
    left: cython.longlong
    if -1e15 < number < 1e15 and number == cython.cast(cython.longlong, number):
        left = cython.cast(cython.longlong, number)
        negative: cython.bint = left < 0
        if negative:
            left = -left
        while True:
            at -= 1
            text[at] = cython.cast(cython.char, 48 + left % 10)
            left //= 10
            if left == 0:
                break
        if negative:
            at -= 1
            text[at] = 45
        return PyBytes_FromStringAndSize(cython.address(text[at]), 40 - at)
    size: cython.int = snprintf(text, 40, b"%.17g", number)
    return PyBytes_FromStringAndSize(text, size)
