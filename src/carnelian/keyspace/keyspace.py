"""All databases of one server or one embedded engine."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.keyspace.clock import Clock
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.state import State
from cython.cimports.libc.stdint import int64_t

# Work between two looks at the clock: some microseconds.
BUCKETS_PER_STEP = cython.declare(cython.Py_ssize_t, 32)


@cython.final
@cython.cclass
class Keyspace(State):
    """The databases, and the work on them that is done between commands.

    Args:
        clock: tells the time to all of them.
        databases: how many there are.
        by_slot: whether the keys of a hash slot can be listed (see ``keyspace.slots``), as a node
            of a cluster has to.
    """

    def __init__(self, clock: Clock, databases: int = 16, by_slot: bool = False):
        super().__init__(clock)
        self.by_slot = by_slot
        self.databases = [Database(self, index) for index in range(databases)]
        self.next_database = 0

    def __len__(self) -> int:
        """Number of keys in all databases."""
        return sum(len(db) for db in self.databases)

    def swap(self, a: int, b: int) -> None:
        """Swap the contents of two databases, as SWAPDB does; those who use them stay with them."""
        self.databases[a].exchange(self.databases[b])

    def flush(self, db: Database | None = None, lazy: bool = False) -> int:
        """Delete everything in one database or in all; returns how many keys there were.

        ``lazy`` leaves the work to :meth:`background_step`.
        """
        if db is not None:
            return db.flush(lazy)
        return sum(database.flush(lazy) for database in self.databases)

    def list_by_slot(self) -> None:
        """Let the keys of a hash slot be listed from now on. O(n) in the keys that there are."""
        self.by_slot = True
        for db in self.databases:
            db.index_slots()

    def background_step(self, budget_us: int64_t, resizing: cython.bint = True) -> cython.bint:
        """Free what was unlinked and go on with resizes, for about that many microseconds.

        Returns whether there is more to do. Half the time goes to each if there is both. Without
        ``resizing`` tables are left to what commands do on their way.
        """
        end: int64_t = self.clock.monotonic_ns() + budget_us * 1000
        freeing: cython.bint = True
        while freeing or resizing:
            if freeing:
                freeing = self.trash.step()
            if resizing:
                resizing = self.resize_step()
            if self.clock.monotonic_ns() >= end:
                break
        return freeing or resizing

    def resize_step(self):
        """Go on with the resize of one database; returns whether any has more to do."""
        databases: cython.Py_ssize_t = len(self.databases)
        db: Database
        for _ in range(databases):
            db = self.databases[self.next_database % databases]
            if db.rehash(BUCKETS_PER_STEP):
                return True
            self.next_database = (self.next_database + 1) % databases
        return False

    def hold_resizes(self, held: bool) -> None:
        """Start no resizes that can wait, while a child process shares the memory."""
        for db in self.databases:
            db.hold_resizes(held)

    def limit_tables(self, limit: int64_t) -> None:
        """Let no table grow, while it need not, to where all data takes more; 0 is no limit."""
        self.table_limit = limit
        for db in self.databases:
            db.limit_tables(limit)

    @property
    def lazyfree_pending_objects(self) -> int:
        """Keys and values that are deleted but not freed yet."""
        return self.trash.pending

    @property
    def lazyfreed_objects(self) -> int:
        """Keys and values freed after they were deleted, since the start."""
        return self.trash.freed

    def reset_stats(self) -> None:
        """Counters back to zero (CONFIG RESETSTAT)."""
        self.stats.reset()
        self.trash.reset_freed()
