"""RDB files on their way out: everything that a key space holds, between header and check sum."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import cython
from cython.cimports.carnelian.datatypes.tables.entry import (
    Entry,
    expires,
    expiry_of,
)
from cython.cimports.carnelian.datatypes.tables.walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.keyspace.state import State
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.formats import (
    AUX,
    END,
    EXPIRY_MS,
    FREQUENCY,
    FUNCTION,
    IDLE,
    RESIZE,
    SELECT,
    WITH_TIMES,
)
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import form_of
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.rdb.records import put_record, version_of_entry

# Access clocks in a file (maxmemory-policy).
NO_CLOCK: int = 0
IDLE_TIME: int = 1
USE_COUNT: int = 2

_IDLE_TIME = cython.declare(cython.int, 1)
_USE_COUNT = cython.declare(cython.int, 2)
# Keys between two reports.
REPORT = cython.declare(cython.Py_ssize_t, 1024)


@cython.final
@cython.cclass
class Writer:
    """Writes one file to a sink.

    - ``clocks``: what to write about the use of keys: NO_CLOCK, IDLE_TIME or USE_COUNT;
    - ``progress(keys)``: called now and then with the number of keys written;
    - ``delay_us``: microseconds to sleep at each key.
    """

    def __init__(self, sink: Sink):
        self.sink = sink
        self.keys = 0
        self.clocks = 0
        self.delay_us = 0
        self.progress: Callable[[int], None] | None = None

    def write(
        self,
        keyspace: Keyspace,
        facts: Iterable[tuple[bytes, bytes]],
        functions: Iterable[bytes] = (),
    ) -> None:
        """Write everything, and flush it.

        Args:
            keyspace: must not change meanwhile.
            facts: names and values of the fields at the beginning.
            functions: libraries of functions.

        Raises:
            OSError: the file does not take it.
        """
        self.begin(facts, functions)
        for db in keyspace.databases:
            if len(db):
                self.write_database(db)
        self.end()
        self.sink.close()

    def begin(self, facts: Iterable[tuple[bytes, bytes]], functions: Iterable[bytes] = ()) -> None:
        """Write what comes before the keys."""
        self.sink.raw(b"REDIS%04d" % self.sink.version)
        for name, value in facts:
            self.sink.put_byte(AUX)
            self.sink.text(name)
            self.sink.text(value)
        for code in functions:
            self.sink.put_byte(FUNCTION)
            self.sink.text(code)

    def end(self) -> None:
        """Write what comes behind the keys, but for the check sum."""
        self.sink.put_byte(END)

    def write_database(self, db: Database) -> cython.int:
        """One database."""
        walk = cython.declare(Walk)
        entry: cython.pointer[Entry]
        self.write_select(db.index)
        self.write_sizes(db)
        begin_walk(
            cython.address(walk),
            cython.address(db.table.main),
            cython.address(db.table.target),
            db.table.position,
        )
        entry = walk_on(cython.address(walk))
        while entry is not cython.NULL:
            self.write_key(db.keyspace, entry)
            entry = walk_on(cython.address(walk))
        return 0

    def write_select(self, index: cython.int) -> cython.int:
        """Keys that follow are of this database."""
        self.sink.put_byte(SELECT)
        return self.sink.put_length(index)

    def write_sizes(self, db: Database) -> cython.int:
        """How many keys there will be in the database that was selected last."""
        self.sink.put_byte(RESIZE)
        self.sink.put_length(db.table.used)
        return self.sink.put_length(db.expiring.used)

    def write_head(
        self, sink: Sink, keyspace: State, entry: cython.pointer[cython.const[Entry]]
    ) -> cython.int:
        """What comes before the type of a value: when its key expires, and how it was used."""
        if expires(entry):
            sink.put_byte(EXPIRY_MS)
            sink.put_word(expiry_of(entry))
        if self.clocks == _IDLE_TIME:
            sink.put_byte(IDLE)
            sink.put_length(keyspace.idle_ms(entry.access) // 1000)
        elif self.clocks == _USE_COUNT:
            sink.put_byte(FREQUENCY)
            sink.put_byte(keyspace.frequency(entry.access))
        return 0

    def write_key(self, keyspace: State, entry: cython.pointer[Entry]) -> cython.int:
        """A key with its value and what is known of it."""
        sink: Sink = self.sink
        self.write_head(sink, keyspace, entry)
        put_record(sink, entry)
        self.keys += 1
        if self.keys % REPORT == 0 and self.progress is not None:
            self.progress(self.keys)
        if self.delay_us > 0:
            time.sleep(self.delay_us / 1e6)
        return 0


def needed_version(keyspace: Keyspace, lowest: cython.int, quickly: cython.bint = False) -> int:
    """The lowest RDB version from ``lowest`` on that has forms for all that is there; a later one
    may be said ``quickly``, without a look at any field of a hash.
    """
    db: Database
    entry: cython.pointer[Entry]
    value: object
    for db in keyspace.databases:
        for value in db.values_of_newer_forms():
            lowest = max(lowest, newest(cython.cast(ObjectPointer, value), quickly))
        for key in db.timed_hashes:
            if lowest >= WITH_TIMES:
                break
            entry = db.held(key)
            if entry is not cython.NULL:
                lowest = max(lowest, version_of_entry(entry, quickly))
    return lowest


@cython.cfunc
@cython.exceptval(-1)
def newest(value: ObjectPointer, quickly: cython.bint) -> cython.int:
    """The version that a value needs."""
    return cython.cast(Form, form_of(value)).needed_version(value, quickly)
