"""What was unlinked and is freed a little at a time, between other work."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.tables.slot_index import SlotIndex
from cython.cimports.carnelian.datatypes.tables.table import Table

# Buckets of a dropped table that one step empties. Towards the end nearly every entry is the last
# one in its slab, whose pages then go back to the system, which takes some microseconds each.
BUCKETS_PER_STEP = cython.declare(cython.Py_ssize_t, 8)
# Nodes of a dropped index that one step gives back.
NODES_PER_STEP = cython.declare(cython.Py_ssize_t, 16)


@cython.final
@cython.cclass
class Trash:
    """Tables and values on their way out.

    ``pending`` counts the keys and values still to be freed, ``freed`` those that were; they are
    ``lazyfree_pending_objects`` and ``lazyfreed_objects`` of INFO.
    """

    def __init__(self):
        self.tables = []
        self.values = []
        self.indexes = []
        self.pending = 0
        self.freed = 0

    def add_table(self, table):
        """Take over a table that nobody uses any more, and its entries if it owns them."""
        if table.owner:
            self.pending += table.used
        self.tables.append(table)
        return 0

    def add_index(self, index):
        """Take over an index of hash slots that nobody uses any more."""
        self.indexes.append(index)
        return 0

    def add_value(self, value):
        """Take over a value; the caller gives up its own reference."""
        self.pending += 1
        self.values.append(value)
        return 0

    def step(self):
        """Free some; returns whether more is left."""
        if self.values:
            self.free_value()
        elif self.tables:
            self.drain_table()
        elif self.indexes:
            self.drain_index()
        return bool(self.values) or bool(self.tables) or bool(self.indexes)

    def free_value(self):
        """Free the last value, or as much of it as it frees at once."""
        value: object = self.values[len(self.values) - 1]
        shrink = getattr(value, "free_some", None)
        if shrink is not None and shrink():
            return
        self.values.pop()
        self.pending -= 1
        self.freed += 1

    def drain_table(self):
        """Empty some buckets of the last table."""
        table: Table = self.tables[len(self.tables) - 1]
        before: cython.Py_ssize_t = table.used
        if table.keeper is not None:
            # Whoever reads a version of it brings it back.
            self.tables.pop()
            self.pending -= before
            return
        left: cython.Py_ssize_t = 0
        if table.drain(BUCKETS_PER_STEP):
            self.tables.pop()
        else:
            left = table.used
        if table.owner:
            self.pending -= before - left
            self.freed += before - left

    def drain_index(self):
        """Give back some nodes of the last index."""
        index: SlotIndex = self.indexes[len(self.indexes) - 1]
        if index.drain(NODES_PER_STEP):
            self.indexes.pop()

    def reset_freed(self) -> None:
        """Forget how many were freed (CONFIG RESETSTAT)."""
        self.freed = 0
