"""What a snapshot without fork holds on to: values as they were at one moment, in parts.

A frozen value hands out its parts one by one, each of them as it was: those that change before
their turn, just before. How a part is written is known to the value's own class, which stands with
the form of its type (:mod:`carnelian.persistence.forms`).
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.packs.listpack import Bytes, total_of
from cython.cimports.carnelian.datatypes.tables.entry import BYTES, Entry
from cython.cimports.carnelian.datatypes.tables.table import (
    Found,
    Keeper,
    Table,
    forget,
    set_version,
    version_of,
)
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.command_file import CommandFile
from cython.cimports.carnelian.persistence.bytes.frozen import BUCKETS, Block
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memset


@cython.cclass
class Output:
    """Where what is handed out goes; ``keys`` counts the keys.

    ``takes_parts`` says whether long lists, streams and strings are to be handed out as values with
    parts.
    """

    def __init__(self, takes_parts: cython.bint):
        self.keys = 0
        self.takes_parts = takes_parts

    def put_key(self, index: cython.int, entry: cython.pointer[Entry]) -> cython.int:
        """Take a key of a database with all of its value."""
        raise NotImplementedError

    def open_value(
        self, index: cython.int, entry: cython.pointer[Entry], value: Frozen
    ) -> cython.int:
        """Take a key of which the parts of its value are to follow."""
        raise NotImplementedError

    def put_part(self, value: Frozen, part: cython.p_const_void) -> cython.int:
        """Take the next part of a value, which is what the class of the value makes of it."""
        raise NotImplementedError

    def put_string(self, value: Frozen, text: bytes) -> cython.int:
        """Take a long string as the value it is."""
        raise NotImplementedError

    def close_value(self, value: Frozen, following: Frozen) -> cython.int:
        """All parts of a value were taken; ``following`` is the next value, if there is one."""
        raise NotImplementedError


@cython.cclass
class Freezing:
    """What the frozen know of the one that has frozen them; ``fault`` is what went wrong.

    Args:
        keyspace: what is frozen.
        output: takes it.
        big: members from which a collection is frozen rather than handed out at once.
        long: blocks from which a list or a stream is.
    """

    found: Found  # to collect entries in

    def __init__(
        self, keyspace: Keyspace, output: Output, big: cython.Py_ssize_t, long: cython.Py_ssize_t
    ):
        self.keyspace = keyspace
        self.output = output
        self.big = big
        self.long = long
        self.deadline = 0
        self.over = False
        self.fault: Exception | None = None
        memset(cython.address(self.found), 0, cython.sizeof(self.found))

    def __dealloc__(self):
        forget(cython.address(self.found))

    def late(self) -> cython.bint:
        """Whether the slice of time is over."""
        return self.keyspace.clock.monotonic_ns() >= self.deadline


@cython.cclass
class Frozen(Keeper):
    """Something as it was, of the database of that ``index``; a value has ``count`` parts."""

    def walk(self) -> cython.bint:
        """Hand out some of what is still as it was; returns whether there is no more."""
        raise NotImplementedError

    def finish(self, complete: cython.bint) -> cython.int:
        """Let it go on unobserved; ``complete`` says whether all of it was handed out."""
        raise NotImplementedError

    def type_of(self, version: cython.int) -> cython.int:
        """The RDB type of the value in files of a version."""
        raise NotImplementedError

    def put_head(self, record: Sink) -> cython.int:
        """Write what comes before the parts."""
        return record.put_length(self.count)

    def put_part(
        self, record: Sink, compressing: cython.bint, part: cython.p_const_void
    ) -> cython.int:
        """Write a part; strings in it may be compressed if ``compressing``."""
        raise NotImplementedError

    def put_tail(self, record: Sink) -> cython.int:
        """Write what comes behind the parts, before anything has changed."""
        return 0

    def rewrite_part(
        self, commands: CommandFile, key: bytes, part: cython.p_const_void
    ) -> cython.int:
        """Write the commands that add a part."""
        raise NotImplementedError


@cython.cclass
class FrozenTable(Frozen):
    """A table as it was."""

    def __init__(self, freezer: Freezing, table: Table, index: cython.int):
        self.freezer = freezer
        self.table = table
        self.index = index
        self.cursor = 0
        self.count = table.used

    def walk(self):
        """Hand out what some buckets hold.

        Where time runs out, the same buckets are looked at again the next time.
        """
        table: Table = self.table
        found: cython.pointer[Found] = cython.address(self.freezer.found)
        cursor: uint64_t = self.cursor
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        buckets: cython.Py_ssize_t = BUCKETS
        found.count = 0
        while buckets > 0:
            cursor = table.scan(cursor, found)
            buckets -= 1
            if cursor == 0:
                break
        for i in range(found.count):
            entry = found.items[i]
            if version_of(entry) != table.version:
                self.keep(table, entry)
                # What is in the block itself takes next to no time.
                if entry.kind >= BYTES and self.freezer.late():
                    return False
        self.cursor = cursor
        return cursor == 0

    def finish(self, complete):
        """Let the table go on without versions."""
        self.table.end_version(complete)
        if cython.cast(cython.pointer[PyObject], self.table).ob_refcnt == 1:
            # It was dropped meanwhile: its entries are freed in steps.
            self.freezer.keyspace.trash.add_table(self.table)
        self.table = None
        return 0


@cython.cclass
class FrozenMembers(FrozenTable):
    """The members of a big collection in a table; each entry is a part."""

    def keep(self, table, entry):
        """Hand out a member."""
        set_version(entry, table.version)
        if self.freezer.fault is None:
            try:
                self.freezer.output.put_part(self, entry)
            except Exception as fault:
                self.freezer.fault = fault
        return 0


@cython.cclass
class FrozenBlocks(Frozen):
    """The blocks of a long list or a stream, by their numbers from 1 on: each is a part.

    ``copies`` has those that have changed since, and are still to be handed out.
    """

    def __init__(self, freezer: Freezing, index: cython.int):
        self.freezer = freezer
        self.index = index
        self.record: Any = None
        self.count = 0
        self.taken = 0
        self.copies: dict[int, tuple] = {}

    def keep_block(self, number, data, size, stream, plain):
        """Copy a block."""
        length: cython.Py_ssize_t = stream if stream else size
        if not stream and not plain:
            # ``size`` is that of the full form.
            length = total_of(cython.cast(Bytes, data))
        try:
            content = PyBytes_FromStringAndSize(cython.cast(cython.p_const_char, data), length)
            self.copies[number] = (content, size, stream, plain)
        except MemoryError as fault:
            self.freezer.fault = fault
        return 0

    def walk(self):
        """Hand out the next block."""
        block = cython.declare(Block)
        if self.taken == self.count:
            return True
        self.taken += 1
        copy: tuple | None = self.copies.pop(self.taken, None)
        if copy is None:
            self.read(self.taken, cython.address(block))
        else:
            content: bytes
            content, block.size, block.stream, block.plain = copy
            block.data = PyBytes_AS_STRING(content)
        self.freezer.output.put_part(self, cython.address(block))
        return self.taken == self.count

    def read(self, number: cython.Py_ssize_t, block: cython.pointer[Block]) -> cython.int:
        """Look at a block that has not changed, and will not be asked for again."""
        raise NotImplementedError
