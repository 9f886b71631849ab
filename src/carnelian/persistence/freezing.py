"""The data set as it was at one moment, handed out in slices while commands go on changing it.

Every table of keys gets a new version. The freezer walks the tables; what changes before the walk
has come to it is handed out just before. So is each member of a big set, sorted set or hash: they
are frozen in the same way when their turn comes, or when somebody changes them before. Everything
is handed out exactly once, in no order.

Smaller collections are handed out whole, and so are lists and streams, as blocks of memory.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.entry import BYTES, OBJECT, Entry, reference_of
from cython.cimports.carnelian.datatypes.hash import Hash
from cython.cimports.carnelian.datatypes.set import Set
from cython.cimports.carnelian.datatypes.sorted_set import SortedSet
from cython.cimports.carnelian.datatypes.table import (
    Found,
    Keeper,
    Table,
    forget,
    set_version,
    version_of,
)
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.formats import WITH_TIMES
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.string import memset

# Members from which a collection is frozen rather than handed out at once.
BIG: int = 2048
# Buckets whose entries are collected at a time.
BUCKETS = cython.declare(cython.Py_ssize_t, 16)
NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cclass
class Output:
    """Where what is handed out goes; ``keys`` counts the keys."""

    def put_key(self, index, entry):
        """Take a key of a database with all of its value."""
        raise NotImplementedError

    def open_value(self, index, entry, value):
        """Take a key of which the members of its value are to follow."""
        raise NotImplementedError

    def put_member(self, value, member):
        """Take a member of a value."""
        raise NotImplementedError

    def close_value(self, value, following):
        """All members of a value were taken; ``following`` is the next value, if there is one."""
        raise NotImplementedError


@cython.cclass
class Frozen(Keeper):
    """A table as it was."""

    def __init__(self, freezer: Freezer, table: Table, index: cython.int):
        self.freezer = freezer
        self.table = table
        self.index = index
        self.cursor = 0

    def finish(self, complete):
        """Let the table go on without versions."""
        if self.table is None:
            return 0
        self.table.end_version(complete)
        if cython.cast(cython.pointer[PyObject], self.table).ob_refcnt == 1:
            # It was dropped meanwhile: its entries are freed in steps.
            self.freezer.keyspace.trash.add_table(self.table)
        self.table = None
        return 0


@cython.final
@cython.cclass
class FrozenDatabase(Frozen):
    """The keys of a database; ``index`` is the number it had."""

    def keep(self, table, entry):
        """Hand out a key."""
        set_version(entry, table.version)
        return self.freezer.freeze(self.index, entry)


@cython.final
@cython.cclass
class FrozenValue(Frozen):
    """The members of a big collection.

    ``kind`` is its class; ``soonest`` the time before which no field of a hash expires, if any does
    (``timed``). ``record`` is for the output to keep something in.
    """

    def describe(self, value: object) -> None:
        """Note what has to be known of a collection."""
        self.kind = type(value)
        self.record: Any = None
        self.soonest = NEVER
        if isinstance(value, Hash) and cython.cast(Hash, value).times is not None:
            self.soonest = cython.cast(Hash, value).times.soonest
        self.timed = self.soonest != NEVER

    def keep(self, table, entry):
        """Hand out a member."""
        set_version(entry, table.version)
        return self.freezer.output.put_member(self, entry)


@cython.final
@cython.cclass
class Freezer:
    """Freezes a key space now, and hands it out in :meth:`step`.

    ``over`` is set once everything was handed out.

    Args:
        keyspace: what to freeze.
        output: takes it.
        big: members from which a collection is frozen rather than handed out at once.
    """

    found: Found

    def __init__(self, keyspace: Keyspace, output: Output, big: cython.Py_ssize_t = BIG):
        self.keyspace = keyspace
        self.output = output
        self.big = big
        self.databases: list[FrozenDatabase] = []
        self.values: list[FrozenValue] = []
        self.over = False
        memset(cython.address(self.found), 0, cython.sizeof(self.found))
        db: Database
        for db in keyspace.databases:
            if db.table.used:
                frozen: FrozenDatabase = FrozenDatabase(self, db.table, db.index)
                frozen.table.begin_version(frozen)
                self.databases.append(frozen)

    def __dealloc__(self):
        forget(cython.address(self.found))

    def step(self, budget_us: cython.longlong) -> None:
        """Hand out some, for about that many microseconds."""
        self.deadline = self.keyspace.clock.monotonic_ns() + budget_us * 1000
        while True:
            if self.values:
                value: FrozenValue = self.values[0]
                if self.walk(value):
                    self.values.pop(0)
                    value.finish(True)
                    self.output.close_value(value, self.values[0] if self.values else None)
            elif self.databases:
                frozen: FrozenDatabase = self.databases[0]
                if self.walk(frozen):
                    self.databases.pop(0)
                    frozen.finish(True)
            else:
                self.over = True
                return
            if self.late():
                return

    def stop(self) -> None:
        """Hand out nothing more."""
        frozen: Frozen
        for frozen in self.values + self.databases:
            frozen.finish(False)
        self.values = []
        self.databases = []

    def late(self):
        """Whether the slice of time is over."""
        return self.keyspace.clock.monotonic_ns() >= self.deadline

    def walk(self, frozen):
        """Hand out what some buckets hold that is still as it was; returns whether all were seen.

        Where time runs out, the same buckets are looked at again the next time.
        """
        table: Table = frozen.table
        cursor = frozen.cursor
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        buckets: cython.Py_ssize_t = BUCKETS
        self.found.count = 0
        while buckets > 0:
            cursor = table.scan(cursor, cython.address(self.found))
            buckets -= 1
            if cursor == 0:
                break
        for i in range(self.found.count):
            entry = self.found.items[i]
            if version_of(entry) != table.version:
                frozen.keep(table, entry)
                if entry.kind >= BYTES and self.late():
                    return False
        frozen.cursor = cursor
        return cursor == 0

    def freeze(self, index, entry):
        """Hand out a key, or freeze its value."""
        table: Table = table_of(entry)
        if table is None or table.used < self.big:
            return self.output.put_key(index, entry)
        value: FrozenValue = FrozenValue(self, table, index)
        value.describe(cython.cast(object, reference_of(entry)))
        self.output.open_value(index, entry, value)
        table.begin_version(value)
        self.values.append(value)
        return 0


@cython.cfunc
def table_of(entry: cython.pointer[Entry]) -> Table:
    """The table of a collection, None if its value is in another form."""
    if entry.kind != OBJECT:
        return None
    value: object = cython.cast(object, reference_of(entry))
    table: Table = None
    if isinstance(value, Hash):
        table = cython.cast(Hash, value).table
    elif isinstance(value, Set):
        table = cython.cast(Set, value).table
    elif isinstance(value, SortedSet):
        table = cython.cast(SortedSet, value).table
    return table


def needed_version(keyspace: Keyspace, lowest: cython.int) -> int:
    """The lowest RDB version from ``lowest`` on with forms for all that is there, or a later one.

    As :func:`carnelian.persistence.writer.needed_version`, but without a look at any field.
    """
    db: Database
    entry: cython.pointer[Entry]
    for db in keyspace.databases:
        for key in db.timed_hashes:
            entry = db.held(key)
            if entry is cython.NULL or entry.kind != OBJECT:
                continue
            value = cython.cast(object, reference_of(entry))
            if isinstance(value, Hash) and value.soonest is not None:
                return max(lowest, WITH_TIMES)
    return lowest
