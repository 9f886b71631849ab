"""``redis.register_function``, in both of its forms."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.reply_pushing import push_field
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.borrowed import PyObject, bytes_size, bytes_text
from cython.cimports.carnelian.scripting.context import Context, context_of
from cython.cimports.carnelian.scripting.lua import (
    FUNCTION,
    NIL,
    NUMBER,
    REGISTRY,
    STRING,
    TABLE,
    State,
    lua,
    pop,
)
from cython.cimports.libc.string import strcasecmp, strlen

from carnelian.resp.replies import Error

# Where the parts are laid on the stack, before they are taken.
_NAME = cython.declare(cython.int, 1)
_CALLBACK = cython.declare(cython.int, 2)
_DESCRIPTION = cython.declare(cython.int, 3)
_FLAGS = cython.declare(cython.int, 4)

_NAMED = cython.declare(cython.p_const_char[4])
_NAMED[0], _NAMED[1], _NAMED[2], _NAMED[3] = (
    b"function_name",
    b"callback",
    b"description",
    b"flags",
)


@cython.cfunc
@cython.exceptval(check=False)
def redis_register_function(L: State) -> cython.int:
    """``redis.register_function(name, callback)``, or one table with named arguments."""
    context: cython.pointer[Context] = context_of(L)
    count: cython.int = lua.gettop(L)
    if count < 1 or count > 2:
        return _raise(L, b"ERR wrong number of arguments to redis.register_function")
    if count == 1:
        _lay_out_named(L)
    else:
        _check_positional(L)
    reference: cython.int
    lua.pushvalue(L, _CALLBACK)
    reference = lua.ref(L, REGISTRY)
    if not _register(context, L, reference):
        lua.unref(L, REGISTRY, reference)
        push_field(L, b"err", bytes_text(context.reply), bytes_size(context.reply))
        return lua.error(L)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def _raise(L: State, message: cython.p_const_char) -> cython.int:
    push_field(L, b"err", message, strlen(message))
    return lua.error(L)


@cython.cfunc
@cython.exceptval(check=False)
def _check_positional(L: State) -> cython.void:
    if lua.type(L, 1) != STRING and lua.type(L, 1) != NUMBER:
        _raise(L, b"ERR first argument to redis.register_function must be a string")
    if lua.type(L, 2) != FUNCTION:
        _raise(L, b"ERR second argument to redis.register_function must be a function")
    lua.tolstring(L, 1, cython.NULL)
    lua.settop(L, _FLAGS)


@cython.cfunc
@cython.exceptval(check=False)
def _lay_out_named(L: State) -> cython.void:
    """Take the table of named arguments to pieces."""
    which: cython.int
    if lua.type(L, 1) != TABLE:
        _raise(
            L,
            b"ERR calling redis.register_function with a single argument is only applicable to "
            b"Lua table (representing named arguments).",
        )
    lua.settop(L, 5)
    # The table stays at 1 until all is found; the parts are from 2 on.
    lua.pushnil(L)
    while lua.next(L, 1):
        if lua.type(L, -2) == NUMBER:
            _raise(L, b"ERR unknown argument given to redis.register_function")
        if lua.type(L, -2) != STRING:
            _raise(L, b"ERR named argument key given to redis.register_function is not a string")
        which = _argument(lua.tolstring(L, -2, cython.NULL))
        if which < 0:
            _raise(L, b"ERR unknown argument given to redis.register_function")
        _check_named(L, which)
        lua.replace(L, which + 2)
    lua.remove(L, 1)
    if lua.type(L, _NAME) == NIL:
        _raise(L, b"ERR redis.register_function must get a function name argument")
    if lua.type(L, _CALLBACK) == NIL:
        _raise(L, b"ERR redis.register_function must get a callback argument")


@cython.cfunc
@cython.exceptval(check=False)
def _argument(name: cython.p_const_char) -> cython.int:
    i: cython.int
    for i in range(4):
        if strcasecmp(name, _NAMED[i]) == 0:
            return i
    return -1


@cython.cfunc
@cython.exceptval(check=False)
def _check_named(L: State, which: cython.int) -> cython.void:
    """Raise unless the value on top of the stack is one for this argument."""
    kind: cython.int = lua.type(L, -1)
    if which == 0:
        if kind != STRING and kind != NUMBER:
            _raise(
                L,
                b"ERR function_name argument given to redis.register_function must be a string",
            )
        lua.tolstring(L, -1, cython.NULL)
    elif which == 1:
        if kind != FUNCTION:
            _raise(L, b"ERR callback argument given to redis.register_function must be a function")
    elif which == 2:
        if kind != STRING and kind != NUMBER:
            _raise(L, b"ERR description argument given to redis.register_function must be a string")
        lua.tolstring(L, -1, cython.NULL)
    elif kind != TABLE:
        _raise(
            L,
            b"ERR flags argument to redis.register_function must be a table representing function "
            b"flags",
        )


@cython.cfunc
@cython.exceptval(check=False)
def _register(context: cython.pointer[Context], L: State, reference: cython.int) -> cython.bint:
    """Hand the parts on; false with an error left in the host's reply. Raises nothing in Lua."""
    host: ScriptHost = cython.cast(ScriptHost, context.host)
    try:
        if host.registrar is None:
            raise Error("ERR redis.register_function can only be called on FUNCTION LOAD command")
        name = _text(L, _NAME)
        description = _text(L, _DESCRIPTION) if lua.type(L, _DESCRIPTION) == STRING else None
        host.registrar(name, reference, description, _flags(L))
        return True
    except Error as error:
        host.reply = error.message
    except BaseException as failure:
        host.failure = failure
        host.reply = b"ERR interrupted"
    context.reply = cython.cast(cython.pointer[PyObject], host.reply)
    return False


@cython.cfunc
def _text(L: State, index: cython.int) -> bytes:
    size: cython.size_t = 0
    text = lua.tolstring(L, index, cython.address(size))
    return text[:size]


@cython.cfunc
def _flags(L: State) -> list:
    """The words of the table of flags; None for one that is no text."""
    found: list = []
    i: cython.int = 1
    if lua.type(L, _FLAGS) != TABLE:
        return found
    while True:
        lua.rawgeti(L, _FLAGS, i)
        if lua.type(L, -1) == NIL:
            break
        found.append(_text(L, -1) if lua.type(L, -1) == STRING else None)
        pop(L, 1)
        i += 1
    pop(L, 1)
    return found
