"""Keys with numbers to each: the ids of the clients that have a key in their caches.

Most keys have one id, which stands in the entry of the table; further ones make an object of it.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.memory import allocate, reallocate, release
from cython.cimports.carnelian.datatypes.tables.entry import (
    INTEGER,
    Content,
    Entry,
    build,
    describe_integer,
    describe_object,
    destroy,
    fill,
    read_key,
    reference_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.table import Table, entry_at
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memmove

_FIRST_ROOM = cython.declare(cython.Py_ssize_t, 4)


@cython.final
@cython.no_gc
@cython.cclass
class Ids:
    """Ids in ascending order. O(log n) to find one; to add one is O(n) at the speed of memory."""

    def __cinit__(self):
        self.room = _FIRST_ROOM
        self.count = 0
        self.ids = cython.cast(
            cython.pointer[int64_t], allocate(self.room * cython.sizeof(int64_t))
        )

    def __dealloc__(self):
        if self.ids is not cython.NULL:
            release(self.ids)

    def add(self, id):
        """Take in an id; returns whether it is new."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.count
        middle: cython.Py_ssize_t
        while low < high:
            middle = (low + high) >> 1
            if self.ids[middle] < id:
                low = middle + 1
            else:
                high = middle
        if low < self.count and self.ids[low] == id:
            return False
        if self.count == self.room:
            self.ids = cython.cast(
                cython.pointer[int64_t],
                reallocate(self.ids, 2 * self.room * cython.sizeof(int64_t)),
            )
            self.room *= 2
        memmove(self.ids + low + 1, self.ids + low, (self.count - low) * cython.sizeof(int64_t))
        self.ids[low] = id
        self.count += 1
        return True


@cython.final
@cython.cclass
class IdSets:
    """Sets of ids by key; ``items`` is the number of ids of all keys together."""

    def __init__(self):
        self.table = Table()
        self.items = 0

    def __len__(self) -> int:
        return self.table.used

    def used(self):
        """Number of keys."""
        return self.table.used

    def add(self, key, id):
        """Add an id to those of a key; returns whether it is new. O(log n) in those it has."""
        hashed: uint64_t = cython.cast(uint64_t, hash(key))
        slot: cython.pointer[uint64_t] = self.table.find(
            hashed, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        content = cython.declare(Content)
        entry: cython.pointer[Entry]
        if slot is not cython.NULL:
            return self.add_to(slot, id)
        describe_integer(id, cython.address(content))
        entry = build(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key), 0, -1, cython.address(content))
        try:
            self.table.insert(hashed, entry)
        except MemoryError:
            destroy(entry)
            raise
        self.items += 1
        return True

    def add_to(self, slot, id):
        """Add an id to an entry that is there."""
        entry: cython.pointer[Entry] = entry_at(slot)
        content = cython.declare(Content)
        ids: Ids
        if entry.kind == INTEGER:
            if word_of(entry) == id:
                return False
            ids = Ids()
            ids.add(word_of(entry))
            describe_object(ids, cython.address(content))
            fill(entry, cython.address(content))
        else:
            ids = cython.cast(Ids, reference_of(entry))
        if not ids.add(id):
            return False
        self.items += 1
        return True

    def take(self, key):
        """Take a key out; returns its ids in ascending order, None if it has none."""
        hashed: uint64_t = cython.cast(uint64_t, hash(key))
        slot: cython.pointer[uint64_t] = self.table.find(
            hashed, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        if slot is cython.NULL:
            return None
        entry: cython.pointer[Entry] = entry_at(slot)
        taken: list = []
        ids: Ids
        i: cython.Py_ssize_t
        if entry.kind == INTEGER:
            taken.append(word_of(entry))
        else:
            ids = cython.cast(Ids, reference_of(entry))
            for i in range(ids.count):
                taken.append(ids.ids[i])
        self.table.remove(hashed, slot)
        destroy(entry)
        self.items -= len(taken)
        return taken

    def random_key(self):
        """A key, each with the same chance; None if there is none."""
        entry: cython.pointer[Entry] = self.table.random()
        return None if entry is cython.NULL else read_key(entry)

    def renew(self):
        """Begin anew; returns the table with all there was, which takes a while to free."""
        table: Table = self.table
        self.table = Table()
        self.items = 0
        return table
