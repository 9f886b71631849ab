"""Replies of commands as Lua values.

A *plain* reply consists of what :func:`push_reply` knows how to push without touching a reference:
texts, integers, nulls, statuses, lists, and in RESP3 booleans; what else there is, is a tuple of
the field of the table that stands for it in Lua, and its content. :func:`simplified` makes a plain
one of any.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.resp.numbers import format_float, format_plain
from cython.cimports.carnelian.scripting.borrowed import (
    None_,
    PyBool_Type,
    PyBytes_Type,
    PyFloat_Type,
    PyList_Type,
    PyLong_Type,
    PyObject,
    PyTuple_Type,
    PyTypeObject,
    True_,
    bytes_size,
    bytes_text,
    float_value,
    int_value,
    list_item,
    list_size,
    tuple_item,
    type_of,
)
from cython.cimports.carnelian.scripting.lua import NIL, State, lua, pop

from carnelian.resp.replies import (
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    FlatSet,
    PlainFloat,
    Status,
    Verbatim,
)

_STATUS = cython.declare(
    cython.pointer[PyTypeObject], cython.cast(cython.pointer[PyTypeObject], Status)
)

# Each level takes a few slots of Lua's stack.
_SLOTS = cython.declare(cython.int, 6)


@cython.cfunc
@cython.exceptval(check=False)
def push_reply(L: State, value: cython.pointer[PyObject], protocol: cython.int) -> cython.bint:
    """Push a plain reply; false if it is too deep. Owns no reference: Lua may jump out of it."""
    kind: cython.pointer[PyTypeObject] = type_of(value)
    overflow: cython.int = 0
    if kind == cython.address(PyBytes_Type):
        lua.pushlstring(L, bytes_text(value), bytes_size(value))
    elif kind == cython.address(PyLong_Type):
        lua.pushnumber(L, cython.cast(cython.double, int_value(value, cython.address(overflow))))
    elif value == None_:
        if protocol == 3:
            lua.pushnil(L)
        else:
            lua.pushboolean(L, 0)
    elif kind == cython.address(PyList_Type):
        return _push_list(L, value, protocol)
    elif kind == cython.address(PyBool_Type):
        lua.pushboolean(L, value == True_)
    elif kind == cython.address(PyFloat_Type):
        lua.pushnumber(L, float_value(value))
    elif kind == cython.address(PyTuple_Type):
        return _push_tagged(L, bytes_text(tuple_item(value, 0)), tuple_item(value, 1), protocol)
    else:
        push_field(L, b"ok", bytes_text(value), bytes_size(value))
    return True


@cython.cfunc
@cython.exceptval(check=False)
def _push_list(L: State, value: cython.pointer[PyObject], protocol: cython.int) -> cython.bint:
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = list_size(value)
    if lua.checkstack(L, _SLOTS) == 0:
        return False
    lua.createtable(L, cython.cast(cython.int, count), 0)
    for i in range(count):
        if not push_reply(L, list_item(value, i), protocol):
            return False
        lua.rawseti(L, -2, cython.cast(cython.int, i + 1))
    return True


@cython.cfunc
@cython.exceptval(check=False)
def _push_tagged(
    L: State, tag: cython.p_const_char, content: cython.pointer[PyObject], protocol: cython.int
) -> cython.bint:
    """A table with one field; of a map, a set and a verbatim string that is a table of pairs."""
    i: cython.Py_ssize_t
    if lua.checkstack(L, _SLOTS) == 0:
        return False
    lua.createtable(L, 0, 1)
    lua.pushstring(L, tag)
    if type_of(content) != cython.address(PyList_Type):
        if not push_reply(L, content, protocol):
            return False
        lua.rawset(L, -3)
        return True
    lua.createtable(L, 0, cython.cast(cython.int, list_size(content) // 2))
    for i in range(list_size(content)):
        if not push_reply(L, list_item(content, i), protocol):
            return False
        if i % 2 == 0:
            continue
        if lua.type(L, -2) == NIL:
            pop(L, 2)  # a null is no key
        else:
            lua.rawset(L, -3)
    lua.rawset(L, -3)
    return True


@cython.cfunc
@cython.exceptval(check=False)
def push_field(
    L: State, name: cython.p_const_char, text: cython.p_const_char, size: cython.size_t
) -> cython.void:
    """Push a table with one text."""
    lua.createtable(L, 0, 1)
    lua.pushstring(L, name)
    lua.pushlstring(L, text, size)
    lua.rawset(L, -3)


@cython.cfunc
@cython.exceptval(check=False)
def push_words(L: State, words: cython.pointer[PyObject]) -> cython.void:
    """Push a table of texts, from a list of bytes."""
    count: cython.Py_ssize_t = list_size(words)
    i: cython.Py_ssize_t
    lua.createtable(L, cython.cast(cython.int, count), 0)
    for i in range(count):
        word = list_item(words, i)
        lua.pushlstring(L, bytes_text(word), bytes_size(word))
        lua.rawseti(L, -2, cython.cast(cython.int, i + 1))


# -- Before: in Python ----------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def is_plain(value: cython.pointer[PyObject], protocol: cython.int) -> cython.bint:
    """Whether a reply consists of texts, integers, nulls, statuses and lists of such."""
    kind: cython.pointer[PyTypeObject] = type_of(value)
    i: cython.Py_ssize_t
    if kind == cython.address(PyList_Type):
        for i in range(list_size(value)):  # noqa: SIM110
            if not is_plain(list_item(value, i), protocol):
                return False
        return True
    return (
        kind == cython.address(PyBytes_Type)
        or kind == cython.address(PyLong_Type)
        or value == None_
        or kind == _STATUS
    )


@cython.cfunc
def simplified(reply: Any, protocol: cython.int) -> object:
    """A plain reply with what a reply holds, as RESP2 or RESP3 would have it."""
    kind = type(reply)
    if kind is bytes or kind is int or kind is Status or reply is None:
        return reply
    if kind is bool:
        return reply if protocol == 3 else int(reply)
    if isinstance(reply, Error):
        return (b"err", reply.message)
    if kind is Attribute:
        return simplified(reply.value, protocol)
    if isinstance(reply, float):
        if protocol == 3:
            return (b"double", float(reply))
        return format_plain(reply) if kind is PlainFloat else format_float(reply)
    if kind is BigNumber:
        text = b"%d" % reply
        return (b"big_number", text) if protocol == 3 else text
    if kind is Verbatim:
        if protocol == 3:
            return (b"verbatim_string", [b"string", reply.text, b"format", reply.format])
        return reply.text
    if kind is dict:
        return _map([part for item in reply.items() for part in item], protocol)
    if kind is FlatMap:
        return _map(reply, protocol)
    if kind is set or kind is FlatSet:
        members = [simplified(part, protocol) for part in reply]
        if protocol == 3:
            return (b"set", [part for member in members for part in (member, True)])
        return members
    if isinstance(reply, (list, tuple)):
        return [simplified(part, protocol) for part in reply]
    return None


@cython.cfunc
def _map(flat: Any, protocol: cython.int) -> object:
    parts = [simplified(part, protocol) for part in flat]
    return (b"map", parts) if protocol == 3 else parts
