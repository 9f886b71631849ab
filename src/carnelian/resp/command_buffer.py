"""Commands in the form of requests, one behind the other in a buffer of raw memory: that is how
they are sent to replicas, and how append-only files hold them.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import put_longlong
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memcpy, memmove

# A buffer of up to this size stays when it is emptied.
KEPT = cython.declare(cython.Py_ssize_t, 256 * 1024)
# A mark, the digits of a number, and the end of the line.
HEAD = cython.declare(cython.Py_ssize_t, 24)
_STAR = cython.declare(cython.char, 42)
_DOLLAR = cython.declare(cython.char, 36)


@cython.final
@cython.no_gc
@cython.cclass
class CommandBuffer:
    """Bytes to be written: ``length`` of them in memory for ``room``."""

    def __cinit__(self):
        self.data = cython.NULL
        self.length = self.room = 0

    def __init__(self) -> None:
        self.length = 0

    def __dealloc__(self):
        free(self.data)

    @cython.ccall
    def command(self, words: list):
        """Append a command. O(N) in its bytes."""
        self.begin(len(words))
        for item in words:
            text: bytes = item
            self.word(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    @cython.ccall
    def raw(self, text: bytes):
        """Append bytes as they are."""
        self.put(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    @cython.ccall
    def clear(self):
        """Forget the bytes, and the memory if it is much."""
        self.length = 0
        if self.room > KEPT:
            free(self.data)
            self.data = cython.NULL
            self.room = 0

    @cython.ccall
    def value(self) -> bytes:
        """The bytes."""
        return PyBytes_FromStringAndSize(self.data, self.length)

    def begin(self, words: cython.Py_ssize_t) -> cython.int:
        """The header of a command of so many words."""
        return self.head(_STAR, words)

    def word(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
        """A word of a command."""
        self.head(_DOLLAR, length)
        self.reserve(length + 2)
        memcpy(self.data + self.length, text, length)
        self.length += length + 2
        self.data[self.length - 2] = 13
        self.data[self.length - 1] = 10
        return 0

    def put(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
        """Bytes as they are."""
        self.reserve(length)
        memcpy(self.data + self.length, text, length)
        self.length += length
        return 0

    def head(self, mark: cython.char, number: cython.Py_ssize_t) -> cython.int:
        """A line that says how much there is of something."""
        self.reserve(HEAD)
        at: cython.p_char = self.data + self.length
        at[0] = mark
        at += 1
        if 0 <= number < 10:
            at[0] = cython.cast(cython.char, 48 + number)
            at += 1
        else:
            at += put_longlong(at, number)
        at[0] = 13
        at[1] = 10
        self.length = at + 2 - self.data
        return 0

    def reserve(self, length: cython.Py_ssize_t) -> cython.int:
        """Have room for so many further bytes."""
        room: cython.Py_ssize_t
        grown: cython.p_void
        if self.length + length <= self.room:
            return 0
        room = max(max(2 * self.room, 4096), self.length + length)
        grown = realloc(self.data, room)
        if grown is cython.NULL:
            raise MemoryError
        self.data = cython.cast(cython.p_char, grown)
        self.room = room
        return 0

    def drop(self, length: cython.Py_ssize_t) -> cython.int:
        """Take bytes away at the beginning."""
        self.length -= length
        memmove(self.data, self.data + length, self.length)
        return 0
