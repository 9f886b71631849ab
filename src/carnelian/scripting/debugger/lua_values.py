"""Lua values as texts that somebody who debugs can read.

Nothing here raises in Lua: strings are read as they are, tables without their metamethods.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.lua import (
    BOOLEAN,
    FUNCTION,
    LIGHT_USERDATA,
    NIL,
    NUMBER,
    STRING,
    TABLE,
    THREAD,
    USERDATA,
    State,
    lua,
    pop,
)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize

from carnelian.resp.quoting import quote

# Levels of tables that are shown, and slots of Lua's stack that all of them take.
_MOST_LEVELS = cython.declare(cython.int, 10)
_SLOTS = cython.declare(cython.size_t, 48)
# Bytes of a text that is not limited: tables that stand in each other have no end.
_MOST_BYTES = cython.declare(cython.Py_ssize_t, 16 << 20)

_DEEP = b"<max recursion level reached! Nested table?>"
_KINDS = {
    FUNCTION: b"function",
    USERDATA: b"userdata",
    THREAD: b"thread",
    LIGHT_USERDATA: b"light-userdata",
}


@cython.cfunc
def describe(L: State, size: cython.Py_ssize_t) -> bytes:
    """The value on top of the stack as a text.

    Args:
        size: how many bytes matter; what follows need not be there. 0: all of them.
    """
    if lua.cpcall(L, _grow, cython.cast(cython.p_void, _SLOTS)) != 0:
        pop(L, 1)
        return b"<not enough memory>"
    text: Text = Text()
    text.left = size + 1 if size else _MOST_BYTES
    text.parts = []
    text.describe(L, 0)
    return b"".join(text.parts)


@cython.cfunc
@cython.exceptval(check=False)
def _grow(L: State) -> cython.int:
    """Make room on the stack, under protection: getting the memory for it may fail."""
    if lua.checkstack(L, cython.cast(cython.int, _SLOTS)) == 0:
        lua.raise_error(L, b"stack")
    return 0


@cython.final
@cython.cclass
class Text:
    """A text that grows, up to ``left`` bytes more."""

    parts: list
    left: cython.Py_ssize_t

    @cython.cfunc
    def add(self, part: bytes):
        self.parts.append(part)
        self.left -= len(part)

    @cython.cfunc
    def describe(self, L: State, level: cython.int):
        """Add the value on top of the stack."""
        kind: cython.int = lua.type(L, -1)
        if level == _MOST_LEVELS:
            self.add(_DEEP)
        elif kind == STRING:
            self.add_string(L)
        elif kind == BOOLEAN:
            self.add(b"true" if lua.toboolean(L, -1) else b"false")
        elif kind == NUMBER:
            self.add(b"%g" % lua.tonumber(L, -1))
        elif kind == NIL:
            self.add(b"nil")
        elif kind == TABLE:
            self.add(b"{")
            self.add_pairs(L, level + 1, _is_array(L))
            self.add(b"}")
        else:
            address: cython.size_t = cython.cast(cython.size_t, lua.topointer(L, -1))
            self.add(b'"%b@0x%x"' % (_KINDS[kind], address))

    @cython.cfunc
    def add_string(self, L: State):
        size: cython.size_t = 0
        text = lua.tolstring(L, -1, cython.address(size))
        if self.left <= 0:
            return
        if size > cython.cast(cython.size_t, self.left):
            size = self.left
        self.add(quote(PyBytes_FromStringAndSize(text, size)))

    @cython.cfunc
    def add_pairs(self, L: State, level: cython.int, array: cython.bint):
        """Add what a table holds; of an array, the values alone."""
        first: cython.bint = True
        lua.pushnil(L)
        while lua.next(L, -2):
            if not first:
                self.add(b"; ")
            first = False
            if not array:
                lua.pushvalue(L, -2)
                self.add(b"[")
                self.describe(L, level)
                self.add(b"]=")
                pop(L, 1)
            self.describe(L, level)
            pop(L, 1)
            if self.left <= 0:
                pop(L, 1)
                return


@cython.cfunc
@cython.exceptval(check=False)
def _is_array(L: State) -> cython.bint:
    """Whether the keys of the table on top of the stack are 1, 2, 3 and so on."""
    expected: cython.Py_ssize_t = 1
    lua.pushnil(L)
    while lua.next(L, -2):
        pop(L, 1)
        if lua.type(L, -1) != NUMBER or lua.tonumber(L, -1) != expected:
            pop(L, 1)
            return False
        expected += 1
    return True
