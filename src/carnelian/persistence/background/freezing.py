"""The data set as it was at one moment, handed out in slices while commands go on changing it.

Every table of keys gets a new version. The freezer walks the tables; what changes before the walk
has come to it is handed out just before. Keys are handed out exactly once, in no order.

A big collection is frozen itself when its turn comes, or when somebody is about to change it: the
members of sets, sorted sets and hashes as keys are, in no order. Long lists and streams have their
blocks numbered, and are handed out in that order, from copies of the blocks that change before.
Long strings never change in place, and are left to others as they are.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.tables.entry import BUFFER, Entry, reference_of
from cython.cimports.carnelian.datatypes.tables.table import set_version
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.frozen import Freezing, Frozen, FrozenTable, Output
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import form_of
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.string_forms import freeze_string

# Members from which a collection is frozen rather than handed out at once, and blocks of one. They
# are low, because a member or a block may itself be large.
BIG: int = 64
LONG: int = 2


@cython.final
@cython.cclass
class FrozenDatabase(FrozenTable):
    """The keys of a database."""

    def keep(self, table, entry):
        """Hand out a key."""
        set_version(entry, table.version)
        if self.freezer.fault is None:
            try:
                cython.cast(Freezer, self.freezer).freeze(self.index, entry)
            except Exception as fault:
                self.freezer.fault = fault
        return 0


@cython.final
@cython.cclass
class Freezer(Freezing):
    """Freezes a key space now, and hands it out in :meth:`step`.

    ``over`` is set once everything was handed out. A fault on the way is no concern of those who
    change something: :meth:`step` raises it.

    Args:
        keyspace: what to freeze.
        output: takes it.
        big: members from which a collection is frozen rather than handed out at once.
        long: blocks from which a list or a stream is.
    """

    def __init__(
        self,
        keyspace: Keyspace,
        output: Output,
        big: cython.Py_ssize_t = BIG,
        long: cython.Py_ssize_t = LONG,
    ):
        super().__init__(keyspace, output, big, long)
        self.databases: list[FrozenDatabase] = []
        self.values: list[Frozen] = []
        try:
            self.begin()
        except MemoryError:
            self.stop()
            raise

    def begin(self) -> None:
        """Begin a version of every database."""
        db: Database
        for db in self.keyspace.databases:
            if db.table.used:
                frozen: FrozenDatabase = FrozenDatabase(self, db.table, db.index)
                self.databases.append(frozen)
                db.table.begin_version(frozen)

    def step(self, budget_us: cython.longlong) -> None:
        """Hand out some, for about that many microseconds."""
        frozen: Frozen
        self.deadline = self.keyspace.clock.monotonic_ns() + budget_us * 1000
        if self.fault is not None:
            raise self.fault
        while self.values or self.databases:
            frozen = self.values[0] if self.values else self.databases[0]
            if frozen.walk():
                self.end_first(frozen)
            if self.late():
                return
        if self.fault is not None:
            raise self.fault
        self.over = True

    def end_first(self, frozen: Frozen) -> cython.int:
        """All of what is handed out just now was handed out."""
        if isinstance(frozen, FrozenDatabase):
            # The last of its keys may have frozen their values.
            self.databases.pop(0)
            return frozen.finish(True)
        self.values.pop(0)
        frozen.finish(True)
        return self.output.close_value(frozen, self.values[0] if self.values else None)

    def stop(self) -> None:
        """Hand out nothing more."""
        frozen: Frozen
        for frozen in self.values + self.databases:
            frozen.finish(False)
        self.values = []
        self.databases = []

    def freeze(self, index: cython.int, entry: cython.pointer[Entry]) -> cython.int:
        """Hand out a key, or freeze its value: then its parts are handed out one by one."""
        value: ObjectPointer
        frozen: Frozen
        if entry.kind <= BUFFER:
            frozen = freeze_string(self, index, entry)
        else:
            value = cython.cast(ObjectPointer, reference_of(entry))
            frozen = cython.cast(Form, form_of(value)).freeze(
                self, index, cython.cast(object, value)
            )
        if frozen is None:
            return self.output.put_key(index, entry)
        self.values.append(frozen)
        return self.output.open_value(index, entry, frozen)
