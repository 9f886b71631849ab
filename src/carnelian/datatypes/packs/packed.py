"""Listpacks for Python code: tests, tools, and what comes from files."""

from __future__ import annotations

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs import slim as forms
from cython.cimports.carnelian.datatypes.packs.listpack import Item, Pack
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)


@cython.final
@cython.no_gc
@cython.cclass
class Listpack:
    """A listpack as a Python object: a sequence of ``bytes`` and ``int``.

    Its bytes are those of the full form; what is in memory may be slim.

    Args:
        data: the bytes of a listpack; an empty one if None.

    Raises:
        ValueError: they are not a listpack.
    """

    def __cinit__(self, *args):
        self.pack = listpack.create()

    def __init__(self, data: bytes | None = None):
        if data is not None:
            self._adopt(listpack.from_text(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)))

    @cython.cfunc
    @cython.exceptval(check=False)
    def _adopt(self, pack: Pack) -> cython.void:
        listpack.destroy(self.pack)
        self.pack = pack

    def __dealloc__(self):
        listpack.destroy(self.pack)

    def __bytes__(self) -> bytes:
        return forms.full_bytes(self.pack)

    @property
    def slim(self) -> bool:
        """Whether it goes without backward lengths, which can be changed."""
        return bool(listpack.is_slim(self.pack))

    @slim.setter
    def slim(self, wanted: bool) -> None:
        """Take the backward lengths out, or put them in. O(n)."""
        if wanted:
            forms.slim(cython.address(self.pack))
        else:
            forms.widen(cython.address(self.pack))

    @property
    def full_size(self) -> int:
        """The number of bytes."""
        return listpack.full_size(self.pack)

    def __len__(self) -> int:
        return listpack.count_of(self.pack)

    def __getitem__(self, index: cython.Py_ssize_t):
        return value_at(self.pack, self.place(index))

    def __iter__(self) -> Iterator[bytes | int]:
        at: cython.Py_ssize_t = listpack.first(self.pack)
        while at:
            yield value_at(self.pack, at)
            at = listpack.after(self.pack, at)

    def __reversed__(self) -> Iterator[bytes | int]:
        at: cython.Py_ssize_t = listpack.last(self.pack)
        while at:
            yield value_at(self.pack, at)
            at = listpack.before(self.pack, at)

    def place(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Offset of an element by index; raises IndexError if there is none."""
        at: cython.Py_ssize_t = listpack.seek(self.pack, index)
        if at == 0:
            raise IndexError(f"no element {index}")
        return at

    def append(self, value: bytes | int) -> None:
        """Add an element behind the last."""
        self.insert(listpack.count_of(self.pack), value)

    def insert(self, index: cython.Py_ssize_t, value: bytes | int) -> None:
        """Insert an element before that of ``index``, or at the end."""
        at: cython.Py_ssize_t = listpack.seek(self.pack, index)
        if at == 0:
            at = listpack.end_of(self.pack)
        if isinstance(value, int):
            listpack.insert_integer(cython.address(self.pack), at, value)
        else:
            listpack.insert(
                cython.address(self.pack), at, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
            )

    def __setitem__(self, index: cython.Py_ssize_t, value: bytes | int) -> None:
        at: cython.Py_ssize_t = self.place(index)
        if isinstance(value, int):
            listpack.replace_integer(cython.address(self.pack), at, value)
        else:
            listpack.replace(
                cython.address(self.pack), at, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
            )

    def delete(self, index: cython.Py_ssize_t, count: cython.Py_ssize_t = 1) -> None:
        """Remove up to ``count`` elements from ``index`` on."""
        listpack.remove_range(cython.address(self.pack), index, count)

    def extend(self, other: Listpack) -> None:
        """Add the elements of another listpack, of the same form."""
        tail: Pack = listpack.duplicate(other.pack)
        listpack.merge(cython.address(self.pack), cython.address(tail))

    def split(self, index: cython.Py_ssize_t) -> Listpack:
        """Cut off the elements from ``index`` on and return them."""
        cut: Listpack = Listpack()
        tail: Pack = listpack.split(cython.address(self.pack), self.place(index))
        cut._adopt(tail)
        return cut

    def find(self, value: bytes, skip: cython.Py_ssize_t = 0) -> int | None:
        """Index of an element, ``skip`` ones passed over after each that is compared."""
        at: cython.Py_ssize_t = listpack.find(
            self.pack,
            listpack.first(self.pack),
            PyBytes_AS_STRING(value),
            PyBytes_GET_SIZE(value),
            skip,
        )
        index: cython.Py_ssize_t = 0
        if at == 0:
            return None
        at = listpack.before(self.pack, at)
        while at:
            index += 1
            at = listpack.before(self.pack, at)
        return index

    def memory(self) -> int:
        """Bytes of memory that the listpack itself takes."""
        return listpack.memory_of(self.pack)


@cython.cfunc
def value_at(pack: Pack, at: cython.Py_ssize_t):
    """The element there, as ``bytes`` or ``int``."""
    item = cython.declare(Item)
    if not listpack.read(pack, at, cython.address(item)):
        return None
    if item.text is cython.NULL:
        return item.number
    return PyBytes_FromStringAndSize(item.text, item.length)
