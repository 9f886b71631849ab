"""The keys of a database by the hash slot of a cluster: counted, listed, deleted, scanned."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import (
    HASH_SLOTS,
    slot_of,
    slot_of_pattern,
)
from cython.cimports.carnelian.datatypes.tables.entry import Entry, key_length, key_of, read_key
from cython.cimports.carnelian.datatypes.tables.slot_index import SlotIndex
from cython.cimports.carnelian.datatypes.tables.table import Found, forget, hash_text
from cython.cimports.carnelian.keyspace.store import Store, hash_of
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memset

# Numbers of an index that are looked up together.
BATCH = cython.declare(cython.Py_ssize_t, 32)


@cython.cclass
class Slots(Store):
    """What a node of a cluster asks of a database; slots are numbers from 0 to 16383.

    Keys past their time that were not deleted yet belong to their slot as others do, as in Redis:
    whoever empties a slot has to see them. :meth:`scan_slot` leaves them out.

    Every method with a slot raises ValueError for one that there is not, and RuntimeError where
    keys are not listed by slot (``Keyspace.by_slot``).
    """

    def count_in_slot(self, slot: cython.int) -> cython.Py_ssize_t:
        """How many keys a slot has. O(1)"""
        self.check_slot(slot)
        return self.slots.count(slot)

    def keys_in_slot(self, slot: cython.int, count: cython.Py_ssize_t) -> list:
        """Up to ``count`` keys of a slot; the same ones while nothing changes. O(count)"""
        found = cython.declare(Found)
        keys: list = []
        i: cython.Py_ssize_t
        self.check_slot(slot)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            self.gather(slot, 0, count, cython.address(found))
            for i in range(min(count, found.count)):
                keys.append(read_key(found.items[i]))
            return keys
        finally:
            forget(cython.address(found))

    def delete_slot(
        self, slot: cython.int, count: cython.Py_ssize_t, lazy: cython.bint = False
    ) -> list:
        """Delete up to ``count`` keys of a slot, be their time over or not; returns which.

        Big values are freed later if ``lazy``. To tell of the keys is up to the caller, who comes
        again while the slot has any. O(count)
        """
        deleted: list = self.keys_in_slot(slot, count)
        hash: uint64_t
        key: bytes
        for key in deleted:
            hash = hash_of(key)
            self.erase(
                hash,
                self.table.find(hash, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)),
                lazy,
            )
        return deleted

    def scan_slot(
        self,
        slot: cython.int,
        cursor: uint64_t,
        count: cython.Py_ssize_t = 10,
        type_name: bytes | None = None,
    ):
        """``(next cursor, keys)``: what is left of ``count`` keys of a slot, or only those of a
        type. Others past their time stay.

        Begin with cursor 0 and go on until it is 0 again: a key that is there all the while is
        returned exactly once, whatever else is added, deleted or resized in between. O(count)
        """
        overdue: list = []
        self.check_slot(slot)
        cursor, keys = self.scan_slot_part(slot, cursor, count, type_name, overdue)
        for key in overdue:
            self.find(key)
        return cursor, keys

    def scan_slot_part(self, slot, cursor, count, type_name, overdue):
        """:meth:`scan_slot`; the keys past their time are for the caller to deal with."""
        found = cython.declare(Found)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            cursor = self.gather(slot, cursor, max(count, 1), cython.address(found))
            return cursor, self.shown(cython.address(found), type_name, overdue)
        finally:
            forget(cython.address(found))

    def index_slots(self):
        """List all keys there are by slot. O(n) in the keys"""
        found = cython.declare(Found)
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        memset(cython.address(found), 0, cython.sizeof(Found))
        index: SlotIndex = SlotIndex()
        try:
            self.table.every(cython.address(found))
            for i in range(found.count):
                entry = found.items[i]
                index.add(
                    slot_of(key_of(entry), key_length(entry)),
                    cython.cast(uint32_t, hash_text(key_of(entry), key_length(entry))),
                )
        finally:
            forget(cython.address(found))
        self.slots = index

    def check_slot(self, slot):
        """Raise an exception unless the keys of that slot can be listed."""
        if self.slots is None:
            raise RuntimeError("the keys are not listed by hash slot")
        if slot < 0 or slot >= HASH_SLOTS:
            raise ValueError(f"there is no hash slot {slot}")
        return 0

    def slot_to_search(self, pattern):
        """The only slot whose keys can match a pattern, if they can be listed, or -1."""
        if self.slots is None or pattern is None:
            return -1
        return slot_of_pattern(pattern)

    def gather(self, slot, cursor, wanted, found):
        """Collect some ``wanted`` keys of a slot from a cursor on; the next cursor, 0 at the end.

        There may be a few more, as keys with the same number in the index are not parted.
        """
        numbers = cython.declare(uint32_t[32])
        count: cython.Py_ssize_t = 0
        while found.count < wanted:
            cursor = self.slots.collect(
                slot, cursor, min(wanted - found.count, BATCH), numbers, cython.address(count)
            )
            self.look_up(slot, numbers, count, found)
            if cursor == 0:
                break
        return cursor

    def look_up(self, slot, numbers, count, found):
        """Collect the keys of a slot that have these numbers."""
        kept: cython.Py_ssize_t = found.count
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        for i in range(count):
            self.table.prefetch(numbers[i])
        for i in range(count):
            self.table.prefetch_entry(numbers[i])
        for i in range(count):
            self.table.collect_alike(numbers[i], found)
        # Keys of other slots may have the same number.
        for i in range(kept, found.count):
            entry = found.items[i]
            if slot_of(key_of(entry), key_length(entry)) == slot:
                found.items[kept] = entry
                kept += 1
        found.count = kept
        return 0
