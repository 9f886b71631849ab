"""What scripts return, as replies; and what they end with, as errors.

Nothing here raises in Lua: strings are read as they are, tables without their metamethods, and the
room that deep tables take is asked for under protection.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    NIL,
    NUMBER,
    STRING,
    TABLE,
    State,
    lua,
    pop,
)
from cython.cimports.carnelian.scripting.lua_memory import Budget, copies_allowed
from cython.cimports.carnelian.scripting.results import (
    NAME_BIG_NUMBER,
    NAME_COUNTED,
    NAME_DOUBLE,
    NAME_ERR,
    NAME_FORMAT,
    NAME_LINE,
    NAME_MAP,
    NAME_OK,
    NAME_SET,
    NAME_SOURCE,
    NAME_STRING,
    NAME_VERBATIM,
)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize

from carnelian.resp.replies import (
    OK,
    BigNumber,
    BigText,
    CountedError,
    Error,
    FlatMap,
    FlatSet,
    Status,
    Verbatim,
)

_SLOTS = cython.declare(cython.int, 8)  # of Lua's stack, for one level
# What a result may still have: values, and bytes of texts. A table can stand in it many times, so
# that few of them come to more than any memory holds: it may have more values than all of Lua's
# memory, not many times as many.
_values_left = cython.declare(cython.Py_ssize_t, 0)
_bytes_left = cython.declare(cython.Py_ssize_t, 0)
_NO_LINES = bytes.maketrans(b"\r\n", b"  ")
_TOO_DEEP = b"ERR reached lua stack limit"
# Levels that a table may have, fewer than a reply: those that contain themselves end here, too.
_MOST_LEVELS = cython.declare(cython.int, 480)


@cython.cfunc
def text_at(L: State, index: cython.int) -> bytes:
    """The string at a place of the stack."""
    size: cython.size_t = 0
    text = lua.tolstring(L, index, cython.address(size))
    return PyBytes_FromStringAndSize(text, size)


@cython.cfunc
@cython.inline
def _integer(number: cython.double):
    """What is left of a number, as a cast in C leaves it."""
    if -9.2e18 < number < 9.2e18:
        return cython.cast(cython.longlong, number)
    return -0x8000000000000000


@cython.cfunc
def take_result(L: State, depth: cython.int, booleans: cython.bint):
    """The value on top of the stack as a reply; an error is a value.

    Args:
        depth: levels above it; 0.
        booleans: whether they are replies of their own, as in RESP3.
    """
    kind: cython.int = lua.type(L, -1)
    if kind == STRING:
        return _take_text(L)
    if kind == NUMBER:
        return _integer(lua.tonumber(L, -1))
    if kind == BOOLEAN:
        if booleans:
            return lua.toboolean(L, -1) != 0
        return 1 if lua.toboolean(L, -1) else None
    if kind == TABLE:
        return _take_table(L, depth, booleans)
    return None


@cython.cfunc
def _take_table(L: State, depth: cython.int, booleans: cython.bint):
    # Room for some levels was made at the start; the rest is asked for ten levels at a time.
    if depth >= _MOST_LEVELS or (depth % 10 == 9 and not _has_room(L)):
        return Error(_TOO_DEEP)
    if _value(L, NAME_ERR, STRING):
        message = text_at(L, -1).translate(_NO_LINES)
        pop(L, 1)
        return _marked_error(L, message)
    if _value(L, NAME_OK, STRING):
        text = text_at(L, -1).translate(_NO_LINES)
        pop(L, 1)
        return OK if text == b"OK" else Status(text)
    found, value = _take_typed(L, depth, booleans)
    return value if found else _take_list(L, depth, booleans)


@cython.cfunc
@cython.exceptval(check=False)
def begin_result(budget: cython.pointer[Budget]) -> cython.void:
    """To be called before :func:`take_result`: says how much that may take."""
    global _values_left, _bytes_left
    _values_left = cython.cast(cython.Py_ssize_t, budget.used) + (1 << 20)
    _bytes_left = copies_allowed(budget)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _count() -> cython.int:
    """Count a value; raises MemoryError if they are too many."""
    global _values_left
    _values_left -= 1
    if _values_left < 0:
        raise MemoryError
    return 0


@cython.cfunc
@cython.inline
def _take_text(L: State):
    """The string on top of the stack; raises MemoryError if all of them are too long."""
    global _bytes_left
    size: cython.size_t = 0
    text = lua.tolstring(L, -1, cython.address(size))
    _bytes_left -= size
    if _bytes_left < 0:
        raise MemoryError
    return PyBytes_FromStringAndSize(text, size)


@cython.cfunc
def _take_typed(L: State, depth: cython.int, booleans: cython.bint) -> tuple:
    """Whether the table stands for a type of RESP3, and its value."""
    value: object = None
    if _value(L, NAME_DOUBLE, NUMBER):
        value = lua.tonumber(L, -1)
    elif _value(L, NAME_MAP, TABLE):
        value = FlatMap(_pairs(L, depth, booleans, True))
    elif _value(L, NAME_SET, TABLE):
        value = FlatSet(_pairs(L, depth, booleans, False))
    elif _value(L, NAME_BIG_NUMBER, STRING):
        value = _big_number(text_at(L, -1).translate(_NO_LINES))
    elif _value(L, NAME_VERBATIM, TABLE):
        value = _verbatim(L)
        if value is None:
            pop(L, 1)
            return False, None
    else:
        return False, None
    pop(L, 1)
    return True, value


@cython.cfunc
def _take_list(L: State, depth: cython.int, booleans: cython.bint) -> list:
    values: list = []
    index: cython.int = 1
    while True:
        lua.rawgeti(L, -1, index)
        if lua.type(L, -1) == NIL:
            break
        _count()
        values.append(take_result(L, depth + 1, booleans))
        pop(L, 1)
        index += 1
    pop(L, 1)
    return values


@cython.cfunc
@cython.exceptval(check=False)
def _value(L: State, name: cython.int, kind: cython.int) -> cython.bint:
    """Push a field of the table on top of the stack, if it is of this type."""
    lua.pushvalue(L, name)
    lua.rawget(L, -2)
    if lua.type(L, -1) == kind:
        return True
    pop(L, 1)
    return False


@cython.cfunc
def _pairs(L: State, depth: cython.int, booleans: cython.bint, values: cython.bint) -> list:
    """The keys of the table on top of the stack, with their values if wanted."""
    found: list = []
    lua.pushnil(L)
    while lua.next(L, -2):
        _count()
        lua.pushvalue(L, -2)
        found.append(take_result(L, depth + 1, booleans))
        pop(L, 1)
        if values:
            found.append(take_result(L, depth + 1, booleans))
        pop(L, 1)
    return found


@cython.cfunc
def _big_number(text: bytes):
    """The number, or the text as it is if it reads as none."""
    try:
        return BigNumber(text)
    except ValueError:
        return BigText(text)


@cython.cfunc
def _verbatim(L: State):
    """What the table on top of the stack describes, None if it does not."""
    if not _value(L, NAME_FORMAT, STRING):
        return None
    form = text_at(L, -1)
    pop(L, 1)
    if not _value(L, NAME_STRING, STRING):
        return None
    text = text_at(L, -1)
    pop(L, 1)
    return Verbatim(text, form[:3].ljust(3))


@cython.cfunc
def _marked_error(L: State, message: bytes):
    """An error, which says whether it was counted when a command failed with it."""
    if not _value(L, NAME_COUNTED, BOOLEAN):
        return Error(message)
    pop(L, 1)
    return CountedError(message)


@cython.cfunc
@cython.exceptval(check=False)
def _has_room(L: State) -> cython.bint:
    room = cython.cast(cython.p_void, cython.cast(cython.size_t, 10 * _SLOTS))
    return lua.cpcall(L, _grow, room) == 0 and lua.checkstack(L, 10 * _SLOTS) != 0


@cython.cfunc
@cython.exceptval(check=False)
def _grow(L: State) -> cython.int:
    """Make room on the stack, under protection: getting the memory for it may fail."""
    size = cython.cast(cython.Py_ssize_t, lua.touserdata(L, 1))
    if lua.checkstack(L, cython.cast(cython.int, size)) == 0:
        lua.raise_error(L, b"stack")
    return 0


@cython.cfunc
def script_error(L: State, name: bytes):
    """What a script of this name has ended with: the value on top of the stack."""
    if lua.type(L, -1) != TABLE:
        text = text_at(L, -1) if lua.type(L, -1) == STRING else b"execution failure"
        return Error(b"ERR Error running script %s, %b" % (name, text[:100]))
    message = b"ERR unknown error"
    if _value(L, NAME_ERR, STRING):
        message = text_at(L, -1)
        pop(L, 1)
    # What fails while it is loaded has no name yet, and nobody is told where.
    if name and _value(L, NAME_SOURCE, STRING):
        source = text_at(L, -1)
        pop(L, 1)
        if _value(L, NAME_LINE, NUMBER):
            line = _integer(lua.tonumber(L, -1))
            pop(L, 1)
            message += b" script: %b, on %b:%d." % (name, source, line)
    return _marked_error(L, message.translate(_NO_LINES))
