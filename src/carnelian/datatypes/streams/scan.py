"""Going through the entries of a stream, forward or back."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.collections.nodes import item_bytes
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import Item, end_of, read_on
from cython.cimports.carnelian.datatypes.streams.by_id import (
    Place,
    Tree,
    item_at,
    seek_back,
    step,
    step_back,
)
from cython.cimports.carnelian.datatypes.streams.ids import Id, compare, format_id
from cython.cimports.carnelian.datatypes.streams.node import (
    Entry,
    Head,
    NodePointer,
    behind,
    entry_before,
    read_entry,
    read_head,
)
from cython.cimports.cpython.list import PyList_New, PyList_SET_ITEM
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.libc.string import memset

NOWHERE = cython.declare(Place)
NO_HEAD = cython.declare(Head)
NO_ENTRY = cython.declare(Entry)
memset(cython.address(NOWHERE), 0, cython.sizeof(Place))
memset(cython.address(NO_HEAD), 0, cython.sizeof(Head))
memset(cython.address(NO_ENTRY), 0, cython.sizeof(Entry))


@cython.final
@cython.no_gc
@cython.cclass
class Scan:
    """The entries of a range of ids; the stream must stay, and not change, meanwhile."""

    def __cinit__(self):
        self.place = NOWHERE
        self.head = NO_HEAD
        self.entry = NO_ENTRY
        self.with_deleted = False

    def open(
        self,
        nodes: cython.pointer[cython.const[Tree]],
        start: cython.pointer[cython.const[Id]],
        end: cython.pointer[cython.const[Id]],
        back: cython.bint,
    ):
        """Begin before the first entry from ``start`` on, or behind the last one up to ``end``."""
        self.nodes = nodes
        self.start = start[0]
        self.end = end[0]
        self.back = back
        self.node = cython.NULL
        self.at = 0
        self.passed = True
        self.names: list | None = None
        if back:
            seek_back(nodes, end, cython.address(self.place))
        else:
            seek_back(nodes, start, cython.address(self.place))
            if self.place.leaf is cython.NULL:
                self.place.leaf = nodes.first
                self.place.index = 0

    def enter(self) -> cython.bint:
        """Go to the next node that has an entry to look at; returns whether there is one."""
        if self.node is not cython.NULL:
            if self.back:
                step_back(cython.address(self.place))
            else:
                step(cython.address(self.place))
        if self.place.leaf is cython.NULL:
            self.node = cython.NULL
            return False
        self.node = cython.cast(NodePointer, item_at(self.nodes, cython.address(self.place)))
        self.names = None
        if not read_head(self.node.pack, cython.address(self.head)):
            return False
        self.at = end_of(self.node.pack) if self.back else self.head.entries
        self.passed = True
        return True

    def next(self) -> cython.bint:
        """Go to the next entry of the range; returns whether there is one."""
        while True:
            if self.node is cython.NULL and not self.enter():
                return False
            if self.back:
                self.at = entry_before(self.node.pack, cython.address(self.head), self.at)
            elif not self.passed:
                self.at = behind(self.node.pack, cython.address(self.entry))
            if self.at == 0 or not read_entry(
                self.node, cython.address(self.head), self.at, cython.address(self.entry)
            ):
                if not self.enter():
                    return False
                continue
            self.passed = False
            if self.back:
                if compare(cython.address(self.entry.id), cython.address(self.start)) < 0:
                    return False
                if compare(cython.address(self.entry.id), cython.address(self.end)) > 0:
                    continue
            else:
                if compare(cython.address(self.entry.id), cython.address(self.end)) > 0:
                    return False
                if compare(cython.address(self.entry.id), cython.address(self.start)) < 0:
                    continue
            if not self.entry.deleted or self.with_deleted:
                return True

    def names_of_node(self) -> list:
        """The fields of the node."""
        at: cython.Py_ssize_t = self.head.names
        item = cython.declare(Item)
        names: list = []
        while len(names) < self.head.fields:
            names.append(listpack.bytes_at(self.node.pack, at))
            at = read_on(self.node.pack, at, cython.address(item))
        return names

    def content(self) -> list:
        """Fields and values of the entry, one after the other."""
        fields: cython.Py_ssize_t = self.entry.fields
        words: list = PyList_New(2 * fields)
        item = cython.declare(Item)
        at: cython.Py_ssize_t = self.entry.body
        i: cython.Py_ssize_t
        word: bytes
        if self.entry.same and self.names is None:
            self.names = self.names_of_node()
        names: list = self.names or []
        for i in range(2 * fields):
            if self.entry.same and i & 1 == 0:
                word = names[i >> 1]
            else:
                at = read_on(self.node.pack, at, cython.address(item))
                word = item_bytes(cython.address(item)) if at else b""
            Py_INCREF(word)
            PyList_SET_ITEM(words, i, word)
        if not self.back:
            self.at = read_on(self.node.pack, at, cython.address(item))
            self.passed = True
        return words

    def item(self) -> list:
        """The entry as replies have it: its id, and fields and values."""
        return [format_id(cython.address(self.entry.id)), self.content()]
