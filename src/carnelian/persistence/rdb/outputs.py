"""The two forms in which a frozen data set goes to a file: a snapshot, or commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.tables.entry import (
    BUFFER,
    Entry,
    expires,
    expiry_of,
    key_length,
    key_of,
    read_key,
    text_length,
)
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.formats import SELECT
from cython.cimports.carnelian.persistence.bytes.frozen import LONG_STRING, Frozen, Output
from cython.cimports.carnelian.persistence.rdb.file_writer import Writer
from cython.cimports.carnelian.persistence.rdb.rewriting import Rewriter

from carnelian.resp.numbers import format_int

if TYPE_CHECKING:
    from carnelian.persistence.bytes.spool import Spool

NOWHERE = cython.declare(cython.int, -1)


@cython.final
@cython.cclass
class RecordOutput(Output):
    """A snapshot.

    The record of a frozen value is gathered in a sink of its own. The first one goes on to the
    spool as it comes; meanwhile the other keys wait in the sink of the file.

    Args:
        keyspace: what is frozen, just now.
        version: the RDB version.
        spool: takes the file.
        clocks: what to write about the use of keys, as ``Writer.clocks``.
        compress: whether strings are compressed.
    """

    def __init__(
        self,
        keyspace: Keyspace,
        version: cython.int,
        spool: Spool,
        clocks: cython.int,
        compress: bool,
    ):
        super().__init__(True)
        self.keyspace = keyspace
        self.spool = spool
        self.sink = Sink(version, compress=compress)
        self.sink.drain_to(spool)
        self.writer = Writer(self.sink)
        self.writer.clocks = clocks
        self.first = None
        self.selected = NOWHERE

    def begin(self, facts: Iterable[tuple[bytes, bytes]], functions: Iterable[bytes]) -> None:
        """Write what comes before the keys."""
        db: Database
        self.writer.begin(facts, functions)
        for db in self.keyspace.databases:
            if len(db):
                self.writer.write_select(db.index)
                self.writer.write_sizes(db)
                self.selected = db.index

    def end(self) -> None:
        """Write what comes behind the keys."""
        self.writer.end()
        self.sink.drain_to(self.spool)

    @property
    def held(self) -> int:
        """Bytes that wait for others to go before them."""
        return self.sink.length

    def select(self, index: cython.int) -> cython.int:
        """Turn to a database."""
        if index != self.selected:
            self.writer.write_select(index)
            self.selected = index
        return 0

    def put_key(self, index, entry):
        """Write a key with all of its value."""
        self.select(index)
        self.keys += 1
        if entry.kind == BUFFER and text_length(entry) >= LONG_STRING:
            return self.put_uncompressed(entry)
        return self.writer.write_key(self.keyspace, entry)

    def put_uncompressed(self, entry: cython.pointer[Entry]) -> cython.int:
        """A string that may change in place: too long to be compressed while others wait."""
        compressing: cython.bint = self.sink.compressing
        self.sink.compressing = False
        try:
            return self.writer.write_key(self.keyspace, entry)
        finally:
            self.sink.compressing = compressing

    def open_value(self, index, entry, value):
        """Begin the record of a value, and let it go on if it is the only one."""
        record: Sink = Sink(self.sink.version, compress=self.sink.compressing)
        record.put_byte(SELECT)
        record.put_length(index)
        self.writer.write_head(record, self.keyspace, entry)
        record.put_byte(value.type_of(record.version))
        record.put_text(key_of(entry), key_length(entry))
        value.put_head(record)
        value.record = record
        rest: Sink = Sink(self.sink.version, compress=self.sink.compressing)
        value.put_tail(rest)
        value.rest = rest if rest.length else None
        self.keys += 1
        if self.first is None:
            self.sink.drain_to(self.spool)
            self.sink.drain_to(None)
            # What waits now comes behind the record.
            self.selected = NOWHERE
            self.put_first(value)
        return 0

    def put_first(self, value: Frozen) -> cython.int:
        """Let the record of a value go on to the spool."""
        self.first = value
        cython.cast(Sink, value.record).drain_to(self.spool)
        return 0

    def put_part(self, value, part):
        """Add a part to the record of its value."""
        return value.put_part(value.record, self.sink.compressing, part)

    def put_string(self, value, text):
        """Add a string to a record that goes on to the spool just now."""
        cython.cast(Sink, value.record).drain_to(self.spool)
        self.spool.put_string(text, self.sink.compressing)
        return 0

    def close_value(self, value, following):
        """Hand on what is left of a record, and let the next one go on."""
        record: Sink = value.record
        record.drain_to(self.spool)
        if value.rest is not None:
            cython.cast(Sink, value.rest).drain_to(self.spool)
        value.record = value.rest = None
        self.first = None
        if following is None:
            self.sink.drain_to(self.spool)
            return 0
        return self.put_first(following)


@cython.final
@cython.cclass
class CommandOutput(Output):
    """Commands; each member of a frozen value is one.

    Args:
        spool: takes the file.
    """

    def __init__(self, spool: Spool):
        super().__init__(False)
        self.rewriter = Rewriter(-1, False, spool)
        self.selected = NOWHERE

    def begin(self, stamp_s: int, functions: Iterable[bytes]) -> None:
        """Write what comes before the keys; as ``Rewriter.write``."""
        self.rewriter.begin(stamp_s, functions)

    def end(self) -> None:
        """Write what is left."""
        self.rewriter.flush(0)

    @property
    def held(self) -> int:
        """Bytes that wait for others to go before them."""
        return 0

    def select(self, index: cython.int) -> cython.int:
        """Turn to a database."""
        if index != self.selected:
            self.rewriter.write_select(index)
            self.selected = index
        return 0

    def put_key(self, index, entry):
        """Write the commands that make a key."""
        self.select(index)
        self.keys += 1
        return self.rewriter.write_key(entry)

    def open_value(self, index, entry, value):
        """Note when the key expires: that comes behind its members."""
        value.record = (
            read_key(entry), format_int(expiry_of(entry)) if expires(entry) else None
        )  # fmt: skip
        self.keys += 1
        return 0

    def put_part(self, value, part):
        """Write the commands that add a part."""
        self.select(value.index)
        return value.rewrite_part(self.rewriter, value.record[0], part)

    def close_value(self, value, following):
        """Let the key expire."""
        key, expiry = value.record
        if expiry is not None:
            self.select(value.index)
            self.rewriter.buffer.command([b"PEXPIREAT", key, expiry])
        return 0
