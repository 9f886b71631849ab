"""The list: a listpack as long as it is short, then a quicklist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.collections import nodes
from cython.cimports.carnelian.datatypes.collections.nodes import (
    Cursor,
    Needle,
    is_late,
    is_needle,
    item_bytes,
    leave,
    move,
    needle_of,
    read,
    strip_pack,
)
from cython.cimports.carnelian.datatypes.collections.quicklist import (
    Quicklist,
    count_limit,
    exceeds,
    size_limit,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import Item, Pack, full_size, is_slim
from cython.cimports.carnelian.datatypes.packs.slim import widen
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.list import PyList_New, PyList_SET_ITEM
from cython.cimports.cpython.ref import Py_INCREF

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest

# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 48)


@cython.final
@cython.no_gc
@cython.cclass
class List(Value):
    """Elements in order, quick to change at both ends.

    Mutators take the thresholds that decide where the list becomes a quicklist: when it grows over
    ``list-max-listpack-size``; and a listpack again: when it shrinks to half of that.
    """

    type_name = b"list"

    def __cinit__(self):
        self.pack = listpack.create_slim()
        self.chain: Quicklist | None = None
        count_memory(SHELL)

    def __dealloc__(self):
        if self.pack is not cython.NULL:
            listpack.destroy(self.pack)
        count_memory(-SHELL)

    # -- As a value ------------------------------------------------------------------------------

    def encoding(self):
        """``listpack`` or ``quicklist``."""
        return b"listpack" if self.chain is None else b"quicklist"

    def memory(self):
        """Bytes held. O(nodes)."""
        if self.chain is None:
            return SHELL + listpack.memory_of(self.pack)
        return SHELL + self.chain.memory()

    def free_effort(self):
        """The number of nodes."""
        return 1 if self.chain is None else self.chain.nodes

    def free_some(self) -> cython.bint:
        """Free some nodes of a list that nobody uses any more; returns whether more are left."""
        return self.chain is not None and self.chain.free_some()

    def copy(self):
        """Another list of the same elements."""
        twin: List = List()
        if self.chain is not None:
            listpack.destroy(twin.pack)
            twin.pack = cython.NULL
            twin.chain = self.chain.copy()
            return twin
        pack: Pack = listpack.duplicate(self.pack)
        listpack.destroy(twin.pack)
        twin.pack = pack
        return twin

    def digest(self, digest: Digest) -> None:
        """Take all elements in, in their order (DEBUG DIGEST)."""
        for text in self:
            digest.chain(text)

    def details(self) -> bytes:
        """The figures of the nodes, if it has several."""
        return b"" if self.chain is None else self.chain.details()

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[bytes]:
        """The elements; the list must not change meanwhile."""
        start: cython.Py_ssize_t = 0
        while True:
            some: list = self.items(start, 256)
            if not some:
                return
            yield from some
            start += len(some)

    @property
    def quicklist(self) -> Quicklist | None:
        """The nodes, None in a listpack."""
        return self.chain

    # -- The form --------------------------------------------------------------------------------

    def grow(self, limits: Limits, size: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.int:
        """Become a quicklist if so many more bytes and elements are too much for a listpack."""
        fill: cython.int = limits.list_max_listpack_size
        if self.chain is not None or not exceeds(
            fill, full_size(self.pack) + size, listpack.count_of(self.pack) + count
        ):
            return 0
        chain: Quicklist = Quicklist(fill, limits.list_compress_depth)
        if listpack.first(self.pack):
            chain.append_pack(self.pack)
        else:
            listpack.destroy(self.pack)
        self.pack = cython.NULL
        self.chain = chain
        return 0

    def shrink(self, limits: Limits) -> cython.int:
        """Become a listpack if one node is left that is at most half full."""
        chain: Quicklist = self.chain
        fill: cython.int = limits.list_max_listpack_size
        if (
            chain is None
            or chain.nodes != 1
            or chain.head.plain
            or chain.head.size > size_limit(fill) // 2
            or chain.count > count_limit(fill) // 2
        ):
            return 0
        self.pack = chain.only_pack()
        self.chain = None
        return 0

    # -- Ends ------------------------------------------------------------------------------------

    def size(self) -> cython.Py_ssize_t:
        """Number of elements."""
        return listpack.count_of(self.pack) if self.chain is None else self.chain.count

    def push(self, limits: Limits, words: list, start: cython.Py_ssize_t, at_head: cython.bint):
        """Add the words from ``start`` on, one after the other, at an end."""
        size: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        word: bytes
        if self.chain is None:
            for i in range(start, len(words)):
                word = words[i]
                size += PyBytes_GET_SIZE(word)
            self.grow(limits, size, len(words) - start)
        for i in range(start, len(words)):
            add(self, words[i], at_head)

    def push_one(self, limits: Limits, text: bytes, at_head: cython.bint):
        """Add an element at an end."""
        self.grow(limits, PyBytes_GET_SIZE(text), 1)
        add(self, text, at_head)

    def pop(self, limits: Limits, at_head: cython.bint) -> bytes:
        """Remove the element at an end and return it; the list must have one."""
        text: bytes
        if self.chain is not None:
            text = self.chain.pop(at_head)
            self.shrink(limits)
            return text
        if not at_head and is_slim(self.pack):
            self.prepare(listpack.count_of(self.pack) - 1)
        at: cython.Py_ssize_t = listpack.first(self.pack) if at_head else listpack.last(self.pack)
        text = listpack.bytes_at(self.pack, at)
        listpack.remove(cython.address(self.pack), at)
        return text

    def prepare(self, index: cython.Py_ssize_t) -> cython.int:
        """Make a slim listpack a full one if an element is better come to from behind."""
        if is_late(index, listpack.count_of(self.pack)):
            widen(cython.address(self.pack))
        return 0

    # -- By index --------------------------------------------------------------------------------

    def seek(
        self, index: cython.Py_ssize_t, cursor: cython.pointer[Cursor], back: cython.bint
    ) -> cython.int:
        """Set a cursor to an element that is there; to be followed by ``leave``.

        It may go on backwards quickly if ``back``.
        """
        if self.chain is not None:
            return self.chain.seek(index, cursor, back)
        if back:
            widen(cython.address(self.pack))
        elif is_slim(self.pack):
            self.prepare(index)
        cursor.node = cython.NULL
        cursor.pack = self.pack
        cursor.at = listpack.seek(self.pack, index)
        return 0

    def item(self, index: cython.Py_ssize_t) -> bytes | None:
        """The element of an index, from the end if it is negative; None if there is none."""
        cursor = cython.declare(Cursor)
        item = cython.declare(Item)
        if index < 0:
            index += self.size()
        if index < 0 or index >= self.size():
            return None
        self.seek(index, cython.address(cursor), False)
        read(cython.address(cursor), cython.address(item))
        text: bytes = item_bytes(cython.address(item))
        leave(cython.address(cursor))
        return text

    def items(
        self, start: cython.Py_ssize_t, count: cython.Py_ssize_t, forward: cython.bint = True
    ) -> list:
        """Up to ``count`` elements from an index on, or backwards from it."""
        cursor = cython.declare(Cursor)
        item = cython.declare(Item)
        size: cython.Py_ssize_t = self.size()
        i: cython.Py_ssize_t
        text: bytes
        if start < 0 or start >= size:
            return []
        count = min(count, size - start if forward else start + 1)
        if count <= 0:
            return []
        found: list = PyList_New(count)
        self.seek(start, cython.address(cursor), not forward)
        for i in range(count):
            read(cython.address(cursor), cython.address(item))
            text = item_bytes(cython.address(item))
            Py_INCREF(text)
            PyList_SET_ITEM(found, i, text)
            if i + 1 < count:
                move(cython.address(cursor), forward)
        leave(cython.address(cursor))
        return found

    def pour(self, start: cython.Py_ssize_t, count: cython.Py_ssize_t, sink: Sink) -> cython.int:
        """Pour so many elements, which are there, from an index on."""
        cursor = cython.declare(Cursor)
        self.seek(start, cython.address(cursor), False)
        return nodes.pour(cython.address(cursor), count, sink)

    def set_item(self, limits: Limits, index: cython.Py_ssize_t, text: bytes) -> cython.bint:
        """Replace the element of an index; returns whether there is one."""
        cursor = cython.declare(Cursor)
        self.grow(limits, PyBytes_GET_SIZE(text), 1)
        if index < 0:
            index += self.size()
        if index < 0 or index >= self.size():
            return False
        self.seek(index, cython.address(cursor), False)
        if self.chain is not None:
            self.chain.replace(cython.address(cursor), text)
            self.shrink(limits)
            return True
        listpack.replace(
            cython.address(self.pack), cursor.at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
        )
        return True

    def remove_range(self, limits: Limits, start: cython.Py_ssize_t, count: cython.Py_ssize_t):
        """Remove ``count`` elements that are there from an index on."""
        if self.chain is not None:
            self.chain.remove_range(start, count)
            self.shrink(limits)
        elif count > 0:
            listpack.remove_range(cython.address(self.pack), start, count)

    # -- By content ------------------------------------------------------------------------------

    def insert(self, limits: Limits, pivot: bytes, text: bytes, after: cython.bint) -> cython.bint:
        """Insert an element beside the first that is ``pivot``; returns whether there is one."""
        cursor = cython.declare(Cursor)
        item = cython.declare(Item)
        needle: Needle = needle_of(pivot)
        found: cython.bint = False
        self.grow(limits, PyBytes_GET_SIZE(text), 1)
        if self.size() == 0:
            return False
        self.seek(0, cython.address(cursor), False)
        while True:
            read(cython.address(cursor), cython.address(item))
            found = is_needle(cython.address(item), cython.address(needle))
            if found or not move(cython.address(cursor), True):
                break
        if not found:
            leave(cython.address(cursor))
        elif self.chain is not None:
            self.chain.insert(cython.address(cursor), text, after)
        else:
            if after:
                cursor.at += listpack.size_at(self.pack, cursor.at)
            listpack.insert(
                cython.address(self.pack),
                cursor.at,
                PyBytes_AS_STRING(text),
                PyBytes_GET_SIZE(text),
            )
        return found

    def remove_equal(
        self, limits: Limits, text: bytes, most: cython.Py_ssize_t, forward: cython.bint
    ) -> cython.Py_ssize_t:
        """Remove up to ``most`` elements that are ``text``, from an end on; returns how many."""
        needle: Needle = needle_of(text)
        if self.chain is None:
            return strip_pack(cython.address(self.pack), cython.address(needle), most, forward)
        removed: cython.Py_ssize_t = self.chain.remove_equal(cython.address(needle), most, forward)
        self.shrink(limits)
        return removed

    def positions(
        self,
        text: bytes,
        rank: cython.Py_ssize_t,
        most: cython.Py_ssize_t,
        scanned: cython.Py_ssize_t,
        forward: cython.bint,
    ) -> list:
        """Indexes of elements that are ``text``, in the order in which they are met.

        Args:
            rank: 1 begins with the first that is met, 2 with the second ...
            most: how many; all if 0.
            scanned: elements to look at; all if 0.
            forward: from the first element on, or from the last.
        """
        cursor = cython.declare(Cursor)
        item = cython.declare(Item)
        needle: Needle = needle_of(text)
        size: cython.Py_ssize_t = self.size()
        met: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        found: list = []
        if scanned == 0 or scanned > size:
            scanned = size
        if size == 0:
            return found
        self.seek(0 if forward else size - 1, cython.address(cursor), not forward)
        for i in range(scanned):
            read(cython.address(cursor), cython.address(item))
            if is_needle(cython.address(item), cython.address(needle)):
                met += 1
                if met >= rank:
                    found.append(i if forward else size - 1 - i)
                    if len(found) == most:
                        break
            move(cython.address(cursor), forward)
        leave(cython.address(cursor))
        return found


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def add(values: List, text: bytes, at_head: cython.bint) -> cython.int:
    """Add an element at an end of a list that has the right form for it."""
    if values.chain is not None:
        return values.chain.push(text, at_head)
    if at_head:
        return listpack.prepend(
            cython.address(values.pack), PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
        )
    return listpack.append(
        cython.address(values.pack), PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
    )
