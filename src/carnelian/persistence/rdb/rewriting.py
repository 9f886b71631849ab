"""The whole data set as the shortest commands that make it again, one key after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    Entry,
    expires,
    expiry_of,
    read_key,
    reference_of,
)
from cython.cimports.carnelian.datatypes.tables.walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.command_file import GATHERED, CommandFile
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import form_of
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.string_forms import rewrite_string
from cython.cimports.carnelian.resp.numbers import format_int
from cython.cimports.libc.stdint import int64_t

if TYPE_CHECKING:
    from carnelian.persistence.bytes.spool import Spool

# Keys between two reports.
REPORT = cython.declare(int64_t, 1024)


@cython.final
@cython.cclass
class Rewriter(CommandFile):
    """Writes the commands to a file.

    - ``progress(keys)``: called now and then with the number of keys written;
    - ``delay_us``: microseconds to sleep at each key.

    Args:
        fd: the file; -1 if there is a spool.
        sync: have the kernel write out as it goes on.
        spool: takes what is written in place of the file.
    """

    def __init__(self, fd: int, sync: bool, spool: Spool | None = None):
        super().__init__(fd, sync, spool)
        self.keys = self.delay_us = 0
        self.progress: Callable[[int], None] | None = None

    def write(self, keyspace: Keyspace, stamp_s: int, functions: Iterable[bytes]) -> None:
        """Write everything.

        Args:
            keyspace: must not change meanwhile.
            stamp_s: the time to annotate, in unix seconds; 0 for none.
            functions: libraries of functions.

        Raises:
            OSError: the file does not take it.
        """
        self.begin(stamp_s, functions)
        for db in keyspace.databases:
            if len(db):
                self.write_database(db)
        self.flush(0)

    def begin(self, stamp_s: int, functions: Iterable[bytes]) -> None:
        """Write what comes before the keys; as :meth:`write`."""
        if stamp_s:
            self.buffer.raw(b"#TS:%d\r\n" % stamp_s)
        for code in functions:
            self.buffer.command([b"FUNCTION", b"LOAD", code])

    def write_database(self, db: Database) -> cython.int:
        """A database."""
        walk = cython.declare(Walk)
        entry: cython.pointer[Entry]
        self.write_select(db.index)
        begin_walk(
            cython.address(walk),
            cython.address(db.table.main),
            cython.address(db.table.target),
            db.table.position,
        )
        entry = walk_on(cython.address(walk))
        while entry is not cython.NULL:
            self.write_key(entry)
            entry = walk_on(cython.address(walk))
        return 0

    def write_select(self, index: cython.int) -> cython.int:
        """Keys that follow are of this database."""
        self.buffer.command([b"SELECT", b"%d" % index])
        return 0

    def write_key(self, entry: cython.pointer[Entry]) -> cython.int:
        """A key with its value, and when it expires."""
        value: ObjectPointer
        if entry.kind <= BUFFER:
            rewrite_string(self, entry)
        else:
            value = cython.cast(ObjectPointer, reference_of(entry))
            cython.cast(Form, form_of(value)).rewrite(
                self, read_key(entry), cython.cast(object, value)
            )
        if expires(entry):
            self.buffer.command([b"PEXPIREAT", read_key(entry), format_int(expiry_of(entry))])
        self.flush(GATHERED)
        self.keys += 1
        if self.keys % REPORT == 0 and self.progress is not None:
            self.progress(self.keys)
        if self.delay_us > 0:
            time.sleep(self.delay_us / 1e6)
        return 0
