"""Argument lists, made with little allocation.

A command lives for the time of its execution, and the next one mostly looks alike: the same name,
as many arguments, often of the same lengths. So names are remembered, and a list that nothing else
refers to when its command is done can be filled again, with the bytes objects in it that nothing
else refers to.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.resp.arguments import Cut, Run, collect, place, plain_length
from cython.cimports.carnelian.resp.libc import PyObject, get_item, owned, set_item
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_CheckExact,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.list import PyList_GET_SIZE, PyList_New
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF, Py_REFCNT
from cython.cimports.libc.string import memcmp, memcpy

# Names met before, one for each value of a hash of their ends and size.
_NAME_MAX = cython.declare(cython.Py_ssize_t, 32)
_MIX = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
_names = cython.declare(cython.p_void[2048])
# The first and the last bytes of each: all of a name that is not longer than both.
_heads = cython.declare(cython.ulonglong[2048])
_tails = cython.declare(cython.ulonglong[2048])
_BOTH = cython.declare(cython.Py_ssize_t, 16)

# Lists for reuse by their size: as many short ones as are cut out of a buffer at once. What they
# hold on to is bounded.
_SIZES = cython.declare(cython.Py_ssize_t, 32)
_SHORT = cython.declare(cython.Py_ssize_t, 8)
_DEPTH = cython.declare(cython.int, 16)
_DEPTH_OF_LONG = cython.declare(cython.int, 2)
_KEPT_MAX = cython.declare(cython.Py_ssize_t, 256)
_stock = cython.declare(cython.p_void[512])
_stocked = cython.declare(cython.int[32])


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _ends(
    text: cython.p_const_char,
    size: cython.Py_ssize_t,
    head: cython.pointer[cython.ulonglong],
    tail: cython.pointer[cython.ulonglong],
) -> cython.void:
    """The first and the last bytes of a name of ``size`` bytes (at least 1)."""
    head[0] = tail[0] = 0
    if size >= 8:
        memcpy(head, text, 8)
        memcpy(tail, text + size - 8, 8)
    elif size >= 4:
        memcpy(head, text, 4)
        memcpy(tail, text + size - 4, 4)
    else:
        head[0] = (
            cython.cast(cython.uchar, text[0]) | cython.cast(cython.uchar, text[size - 1]) << 8
        )
        tail[0] = cython.cast(cython.uchar, text[size // 2])


@cython.cfunc
def name(text: cython.p_const_char, size: cython.Py_ssize_t) -> bytes:
    """The bytes object for a first argument: the same one as last time for most."""
    slot: cython.Py_ssize_t
    head: cython.ulonglong = 0
    tail: cython.ulonglong = 0
    known: cython.p_void
    fresh: bytes
    if size == 0 or size > _NAME_MAX:
        return PyBytes_FromStringAndSize(text, size)
    _ends(text, size, cython.address(head), cython.address(tail))
    slot = ((head ^ (tail << 3) ^ (tail >> 29)) + size) * _MIX >> 53
    known = _names[slot]
    if (
        known != cython.NULL
        and _heads[slot] == head
        and _tails[slot] == tail
        and PyBytes_GET_SIZE(cython.cast(bytes, known)) == size
        and (size <= _BOTH or memcmp(PyBytes_AS_STRING(cython.cast(bytes, known)), text, size) == 0)
    ):
        return cython.cast(bytes, known)
    fresh = PyBytes_FromStringAndSize(text, size)
    # Computed once, kept in the object.
    hash(fresh)
    Py_INCREF(fresh)
    _names[slot] = cython.cast(cython.p_void, fresh)
    _heads[slot] = head
    _tails[slot] = tail
    if known != cython.NULL:
        Py_DECREF(cython.cast(object, known))
    return fresh


@cython.cfunc
def obtain(count: cython.Py_ssize_t) -> list:
    """A list of ``count`` places (at least 1) to be filled by :func:`put` and ``place``."""
    kept: cython.pointer[PyObject]
    if count < _SIZES and _stocked[count] > 0:
        _stocked[count] -= 1
        kept = cython.cast(cython.pointer[PyObject], _stock[count * _DEPTH + _stocked[count]])
        return cython.cast(list, owned(kept))
    return PyList_New(count)


@cython.cfunc
@cython.exceptval(-1, check=False)
def put(command: list, at: cython.Py_ssize_t, argument: bytes) -> cython.int:
    """Put ``argument`` at place ``at``, or after the last place."""
    old: cython.pointer[PyObject]
    if at >= PyList_GET_SIZE(command):
        command.append(argument)
        return 0
    old = get_item(command, at)
    Py_INCREF(argument)
    set_item(command, at, cython.cast(cython.pointer[PyObject], argument))
    if old != cython.NULL:
        Py_DECREF(cython.cast(object, old))
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def renew(
    command: list, at: cython.Py_ssize_t, text: cython.p_const_char, size: cython.Py_ssize_t
) -> cython.int:
    """Like ``place``, for what is often the same as in the command before: its hash is kept."""
    old: cython.pointer[PyObject] = get_item(command, at)
    if (
        old != cython.NULL
        and PyBytes_GET_SIZE(cython.cast(bytes, old)) == size
        and memcmp(PyBytes_AS_STRING(cython.cast(bytes, old)), text, size) == 0
    ):
        return 0
    return place(command, at, text, size)


@cython.cfunc
@cython.exceptval(-1, check=False)
def cut(
    start: cython.p_const_char,
    end: cython.p_const_char,
    bound: cython.Py_ssize_t,
    made: cython.pointer[Cut],
) -> cython.Py_ssize_t:
    """Make the command that begins at ``start``: returns its bytes, for ``stop`` to be set.

    0 unless all of it is there in the form that ``collect`` takes, with few arguments.
    """
    run = cython.declare(Run)
    used: cython.Py_ssize_t
    words: list
    if start[0] != b"*":
        return 0
    used = plain_length(start + 1, cython.address(run.wanted))
    if used == 0 or run.wanted == 0 or run.wanted >= _SIZES or start + 1 + used > end:
        return 0
    run.at = start + 1 + used
    run.filled = 0
    words = obtain(run.wanted)
    collect(words, cython.address(run), end, bound)
    if run.filled < run.wanted:
        return 0
    Py_INCREF(words)
    made.words = cython.cast(cython.pointer[PyObject], words)
    made.size = run.size
    return run.at - start


@cython.cfunc
@cython.exceptval(check=False)
def recycle(command: list) -> cython.void:
    """Say that a command from the parser is done, for its list to be used again.

    Nothing happens when anything but the caller's one variable refers to the list, and arguments
    that are referred to elsewhere are left alone. The list must not be used after it.
    """
    at: cython.Py_ssize_t
    size: cython.Py_ssize_t = PyList_GET_SIZE(command)
    item: cython.pointer[PyObject]
    depth: cython.int = _DEPTH if size <= _SHORT else _DEPTH_OF_LONG
    if Py_REFCNT(command) != 1 or size >= _SIZES or size == 0 or _stocked[size] == depth:
        return
    for at in range(size):
        item = get_item(command, at)
        if (
            at == 0
            or Py_REFCNT(cython.cast(object, item)) != 1
            or not PyBytes_CheckExact(cython.cast(object, item))
            or PyBytes_GET_SIZE(cython.cast(bytes, item)) > _KEPT_MAX
        ):
            set_item(command, at, cython.NULL)
            Py_DECREF(cython.cast(object, item))
    Py_INCREF(command)
    _stock[size * _DEPTH + _stocked[size]] = cython.cast(cython.p_void, command)
    _stocked[size] += 1


def recycle_all(commands: list) -> None:
    """Take all commands out of a list and recycle them.

    For interpreted code, in which a call with a command as its argument would refer to it twice.
    """
    command: list
    while len(commands) > 0:
        command = commands.pop()
        recycle(command)
