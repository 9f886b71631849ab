"""Where collections pour their elements into, so that no Python object need be made of each."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.string import format_integer
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t


@cython.cclass
class Sink:
    """Takes elements one after the other, and keeps no pointer into what they stand in."""

    def text(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.int:
        """An element, or a part of one, that is a text."""
        raise NotImplementedError

    def number(self, number: int64_t) -> cython.int:
        """One that is an integer; it stands for its decimal form."""
        digits = cython.declare(cython.char[24])
        return self.text(digits, format_integer(number, digits))

    def score(self, score: cython.double) -> cython.int:
        """The score that belongs to the element before."""
        raise NotImplementedError


@cython.final
@cython.cclass
class Gathered(Sink):
    """Elements as Python objects: texts and numbers as ``bytes``, scores as ``float``."""

    def __cinit__(self):
        self.items = []

    def text(self, text, length):
        """Add an element."""
        self.items.append(PyBytes_FromStringAndSize(text, length))
        return 0

    def score(self, score):
        """Add a score."""
        self.items.append(score)
        return 0
