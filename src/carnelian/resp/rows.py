"""A reply of many texts that are kept as they go on the wire, not as an object each.

What a list, a hash or a set replies with are bulk strings, which look alike in RESP2 and RESP3;
only the header before them differs. A handler whose reply goes straight to the writer may pour the
elements of a collection into a :class:`Rows` and return that. It holds copies, so that the
collection may change before the reply is written.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.decimals import digits, put_double, put_longlong
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.resp.layout import BLOCK
from cython.cimports.carnelian.resp.output import OutputBuffer
from cython.cimports.libc.string import memcpy

# What stands around a text, at most.
_FRAME = cython.declare(cython.Py_ssize_t, 32)


@cython.final
@cython.no_gc
@cython.cclass
class Rows(Sink):
    """An array, a set, or a map (keys and values in turn) of bulk strings."""

    def __cinit__(self):
        self.out = OutputBuffer.__new__(OutputBuffer)
        self.count = 0
        self.kind = b"*"

    def __len__(self) -> int:
        """The number of texts."""
        return self.count

    def text(self, text, length):
        """Add a bulk string."""
        out: OutputBuffer = self.out
        at: cython.p_char
        self.count += 1
        if out.limit - out.tail < length + _FRAME:
            if length + _FRAME > BLOCK:
                return self.large(text, length)
            out.grow(length + _FRAME)
        at = out.tail
        at[0] = b"$"
        if length < 10:
            at[1] = cython.cast(cython.char, 48 + length)
            at += 2
        else:
            at += 1 + digits(at + 1, length)
        at[0] = b"\r"
        at[1] = b"\n"
        memcpy(at + 2, text, length)
        at += length + 2
        at[0] = b"\r"
        at[1] = b"\n"
        out.tail = at + 2
        return 0

    def large(self, text, length):
        """Add a bulk string that does not fit a block."""
        header = cython.declare(cython.char[32])
        header[0] = b"$"
        size: cython.Py_ssize_t = 1 + digits(header + 1, length)
        self.out.put(header, size)
        self.out.put(b"\r\n", 2)
        self.out.put(text, length)
        return self.out.put(b"\r\n", 2)

    def number(self, number):
        """Add the text of an integer."""
        decimal = cython.declare(cython.char[32])
        return self.text(decimal, put_longlong(decimal, number))

    def score(self, score):
        """Add the text of a double, which is what stands for one in RESP2."""
        decimal = cython.declare(cython.char[64])
        return self.text(decimal, put_double(decimal, score))


def rows_of(kind):
    """An empty ARRAY, MAP or SET."""
    rows: Rows = Rows.__new__(Rows)
    rows.kind = kind
    return rows
