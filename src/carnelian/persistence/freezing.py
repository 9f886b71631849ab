"""The data set as it was at one moment, handed out in slices while commands go on changing it.

Every table of keys gets a new version. The freezer walks the tables; what changes before the walk
has come to it is handed out just before. Keys are handed out exactly once, in no order.

A big collection is frozen itself when its turn comes, or when somebody is about to change it: the
members of sets, sorted sets and hashes as keys are, in no order. Long lists and streams have their
blocks numbered, and are handed out in that order, from copies of the blocks that change before.
Long strings never change in place, and are left to others as they are.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.entry import BYTES, OBJECT, Entry, reference_of
from cython.cimports.carnelian.datatypes.hash import Hash
from cython.cimports.carnelian.datatypes.id_tree import Place, item_at, seek, step
from cython.cimports.carnelian.datatypes.list import List
from cython.cimports.carnelian.datatypes.listpack import Bytes, total_of
from cython.cimports.carnelian.datatypes.member_blocks import Walk, begin_bucket, walk_on
from cython.cimports.carnelian.datatypes.members import Members
from cython.cimports.carnelian.datatypes.nodes import NodePointer
from cython.cimports.carnelian.datatypes.quicklist import Quicklist
from cython.cimports.carnelian.datatypes.set import Set
from cython.cimports.carnelian.datatypes.sorted_set import SortedSet
from cython.cimports.carnelian.datatypes.stream import Stream
from cython.cimports.carnelian.datatypes.stream_id import Id
from cython.cimports.carnelian.datatypes.stream_node import NodePointer as StreamNodePointer
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
from cython.cimports.carnelian.persistence.encoder import version_of_streams
from cython.cimports.carnelian.persistence.formats import WITH_TIMES
from cython.cimports.carnelian.persistence.freezing import LONG_STRING, Block
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memset

# Members from which a collection is frozen rather than handed out at once, and blocks of one. They
# are low, because a member or a block may itself be large.
BIG: int = 64
LONG: int = 2
# Buckets whose entries are collected at a time.
BUCKETS = cython.declare(cython.Py_ssize_t, 16)
NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


@cython.cclass
class Output:
    """Where what is handed out goes; ``keys`` counts the keys.

    ``takes_parts`` says whether long lists, streams and strings are to be handed out as values with
    parts.
    """

    def __init__(self, takes_parts: cython.bint):
        self.keys = 0
        self.takes_parts = takes_parts

    def put_key(self, index, entry):
        """Take a key of a database with all of its value."""
        raise NotImplementedError

    def open_value(self, index, entry, value):
        """Take a key of which the parts of its value are to follow."""
        raise NotImplementedError

    def put_member(self, value, member):
        """Take a member of a sorted set or a hash."""
        raise NotImplementedError

    def put_text(self, value, text, length):
        """Take a member of a set."""
        raise NotImplementedError

    def put_block(self, value, block):
        """Take the next block of a list or a stream."""
        raise NotImplementedError

    def put_string(self, value, text):
        """Take a long string as the value it is."""
        raise NotImplementedError

    def close_value(self, value, following):
        """All parts of a value were taken; ``following`` is the next value, if there is one."""
        raise NotImplementedError


@cython.cclass
class Frozen(Keeper):
    """Something as it was. ``index`` is the number of its database."""

    def walk(self):
        """Hand out some of what is still as it was; returns whether there is no more."""
        raise NotImplementedError

    def finish(self, complete):
        """Let it go on unobserved; ``complete`` says whether all of it was handed out."""
        raise NotImplementedError


@cython.cclass
class FrozenTable(Frozen):
    """A table as it was."""

    def __init__(self, freezer: Freezer, table: Table, index: cython.int):
        self.freezer = freezer
        self.table = table
        self.index = index
        self.cursor = 0

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


@cython.final
@cython.cclass
class FrozenDatabase(FrozenTable):
    """The keys of a database."""

    def keep(self, table, entry):
        """Hand out a key."""
        set_version(entry, table.version)
        if self.freezer.fault is None:
            try:
                self.freezer.freeze(self.index, entry)
            except Exception as fault:
                self.freezer.fault = fault
        return 0


@cython.final
@cython.cclass
class FrozenMembers(FrozenTable):
    """The members of a big sorted set or hash.

    ``kind`` is its class; ``soonest`` the time before which no field of a hash expires, if any does
    (``timed``).
    """

    def describe(self, value: object) -> None:
        """Note what has to be known of the collection."""
        self.kind = type(value)
        self.record: Any = None
        self.count = self.table.used
        self.soonest = NEVER
        if isinstance(value, Hash) and cython.cast(Hash, value).times is not None:
            self.soonest = cython.cast(Hash, value).times.soonest
        self.timed = self.soonest != NEVER

    def keep(self, table, entry):
        """Hand out a member."""
        set_version(entry, table.version)
        if self.freezer.fault is None:
            try:
                self.freezer.output.put_member(self, entry)
            except Exception as fault:
                self.freezer.fault = fault
        return 0


@cython.final
@cython.cclass
class FrozenSet(Frozen):
    """The members of a big set."""

    def __init__(self, freezer: Freezer, index: cython.int, members: Members):
        self.freezer = freezer
        self.index = index
        self.kind = Set
        self.members = members
        self.count = members.used
        self.cursor = 0
        self.record: Any = None
        self.timed = False

    def walk(self):
        """Hand out what some buckets hold."""
        bucket: cython.pointer[uint64_t] = cython.NULL
        _bucket: cython.Py_ssize_t
        for _bucket in range(BUCKETS):
            self.cursor = self.members.scan(self.cursor, cython.address(bucket))
            self.members.keep(bucket)
            if self.cursor == 0:
                return True
            # Texts may be long.
            if self.freezer.late():
                return False
        return False

    def keep_bucket(self, bucket):
        """Hand out the members of a bucket."""
        walk = cython.declare(Walk)
        text: cython.p_const_char = cython.NULL
        length: cython.Py_ssize_t = 0
        if self.freezer.fault is not None:
            return 0
        begin_bucket(cython.address(walk), bucket)
        try:
            while walk_on(cython.address(walk), cython.address(text), cython.address(length)):
                self.freezer.output.put_text(self, text, length)
        except Exception as fault:
            self.freezer.fault = fault
        return 0

    def finish(self, complete):
        """Let the members go on without versions."""
        self.members.end_version(complete)
        if cython.cast(cython.pointer[PyObject], self.members).ob_refcnt == 1:
            # They were dropped meanwhile, and are freed in steps.
            self.freezer.keyspace.trash.add_value(self.members)
        self.members = None
        return 0


@cython.final
@cython.cclass
class FrozenString(Frozen):
    """A long string, which is handed out by reference: others take their time with it."""

    def __init__(self, freezer: Freezer, index: cython.int, text: bytes):
        self.freezer = freezer
        self.index = index
        self.kind = bytes
        self.text: bytes = text

    def walk(self):
        """Hand out all of it."""
        self.freezer.output.put_string(self, self.text)
        return True

    def finish(self, complete):
        """Let go of it."""
        self.text = b""
        return 0


@cython.cclass
class FrozenBlocks(Frozen):
    """The blocks of a long list or a stream, by their numbers from 1 on.

    ``copies`` has those that have changed since, and are still to be handed out.
    """

    def __init__(self, freezer: Freezer, index: cython.int):
        self.freezer = freezer
        self.index = index
        self.record: Any = None
        self.timed = False
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
        self.freezer.output.put_block(self, cython.address(block))
        return self.taken == self.count

    def read(self, number, block):
        """Look at a block that has not changed, and will not be asked for again."""
        raise NotImplementedError


@cython.final
@cython.cclass
class FrozenList(FrozenBlocks):
    """The nodes of a quicklist."""

    def __dealloc__(self):
        free(self.nodes)

    def number(self, chain: Quicklist) -> None:
        """Give all nodes their numbers. O(nodes)."""
        node: NodePointer = chain.head
        self.kind = List
        self.nodes = cython.cast(
            cython.pointer[NodePointer], malloc(chain.nodes * cython.sizeof(NodePointer))
        )
        if self.nodes is cython.NULL:
            raise MemoryError
        while node is not cython.NULL:
            self.nodes[self.count] = node
            self.count += 1
            node.number = cython.cast(uint32_t, self.count)
            node = node.next
        self.chain = chain
        chain.keeper = self

    def read(self, number, block):
        """Look at a node."""
        node: NodePointer = self.nodes[number - 1]
        node.number = 0
        block.data = node.data
        block.size = node.size
        block.stream = node.stream
        block.plain = node.plain
        return 0

    def finish(self, complete):
        """Let the list go on unobserved."""
        self.chain.keeper = None
        if cython.cast(cython.pointer[PyObject], self.chain).ob_refcnt == 1:
            self.freezer.keyspace.trash.add_value(self.chain)
        self.chain = None
        return 0


@cython.final
@cython.cclass
class FrozenStream(FrozenBlocks):
    """The nodes of a stream. They move in memory, and are found by their ids."""

    def __dealloc__(self):
        free(self.ids)

    def number(self, stream: Stream) -> None:
        """Give all nodes their numbers. O(nodes)."""
        place = cython.declare(Place)
        node: StreamNodePointer
        self.kind = Stream
        self.ids = cython.cast(
            cython.pointer[Id], malloc(max(stream.nodes.count, 1) * cython.sizeof(Id))
        )
        if self.ids is cython.NULL:
            raise MemoryError
        id = cython.declare(Id)
        id.ms = id.seq = 0
        seek(cython.address(stream.nodes), cython.address(id), cython.address(place))
        while place.leaf is not cython.NULL:
            node = node_at(stream, cython.address(place))
            self.ids[self.count] = node.first
            self.count += 1
            node.number = cython.cast(uint32_t, self.count)
            step(cython.address(place))
        self.stream = stream
        stream.keeper = self

    def first_id(self, number):
        """The id of the first entry of a node."""
        return cython.address(self.ids[number - 1])

    def read(self, number, block):
        """Look at a node."""
        place = cython.declare(Place)
        seek(cython.address(self.stream.nodes), self.first_id(number), cython.address(place))
        node: StreamNodePointer = node_at(self.stream, cython.address(place))
        node.number = 0
        block.data = node.pack
        block.size = total_of(node.pack)
        block.stream = 0
        block.plain = False
        return 0

    def finish(self, complete):
        """Let the stream go on unobserved."""
        self.stream.keeper = None
        if cython.cast(cython.pointer[PyObject], self.stream).ob_refcnt == 1:
            self.freezer.keyspace.trash.add_value(self.stream)
        self.stream = None
        return 0


@cython.final
@cython.cclass
class Freezer:
    """Freezes a key space now, and hands it out in :meth:`step`.

    ``over`` is set once everything was handed out. A fault on the way is no concern of those who
    change something: :meth:`step` raises it.

    Args:
        keyspace: what to freeze.
        output: takes it.
        big: members from which a collection is frozen rather than handed out at once.
        long: blocks from which a list or a stream is.
    """

    found: Found

    def __init__(
        self,
        keyspace: Keyspace,
        output: Output,
        big: cython.Py_ssize_t = BIG,
        long: cython.Py_ssize_t = LONG,
    ):
        self.keyspace = keyspace
        self.output = output
        self.big = big
        self.long = long
        self.databases: list[FrozenDatabase] = []
        self.values: list[Frozen] = []
        self.over = False
        self.fault: Exception | None = None
        memset(cython.address(self.found), 0, cython.sizeof(self.found))
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

    def __dealloc__(self):
        forget(cython.address(self.found))

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

    def end_first(self, frozen):
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

    def late(self):
        """Whether the slice of time is over."""
        return self.keyspace.clock.monotonic_ns() >= self.deadline

    def freeze(self, index, entry):
        """Hand out a key, or freeze its value."""
        if entry.kind == BYTES and self.output.takes_parts:
            text: bytes = cython.cast(bytes, reference_of(entry))
            if PyBytes_GET_SIZE(text) >= LONG_STRING:
                return self.add(index, entry, FrozenString(self, index, text))
        if entry.kind == OBJECT:
            value: object = cython.cast(object, reference_of(entry))
            if isinstance(value, Set):
                members: Members = cython.cast(Set, value).table
                if members is not None and members.used >= self.big:
                    return self.freeze_set(index, entry, members)
            table: Table = table_of(value)
            if table is not None and table.used >= self.big:
                return self.freeze_table(index, entry, value, table)
            if self.output.takes_parts and effort_of(value) >= self.long:
                return self.freeze_blocks(index, entry, value)
        return self.output.put_key(index, entry)

    def add(self, index, entry, value):
        """Take a frozen value on: its parts will be handed out one by one."""
        self.values.append(value)
        return self.output.open_value(index, entry, value)

    def freeze_table(self, index, entry, value, table):
        """Freeze a sorted set or a hash."""
        frozen: FrozenMembers = FrozenMembers(self, table, index)
        frozen.describe(value)
        table.begin_version(frozen)
        return self.add(index, entry, frozen)

    def freeze_set(self, index, entry, members):
        """Freeze a set."""
        frozen: FrozenSet = FrozenSet(self, index, members)
        members.begin_version(frozen)
        return self.add(index, entry, frozen)

    def freeze_blocks(self, index, entry, value):
        """Freeze a list or a stream."""
        if isinstance(value, List):
            chain: FrozenList = FrozenList(self, index)
            chain.number(cython.cast(List, value).chain)
            return self.add(index, entry, chain)
        stream: FrozenStream = FrozenStream(self, index)
        stream.number(value)
        return self.add(index, entry, stream)


@cython.cfunc
def table_of(value: object) -> Table:
    """The table of a hash or a sorted set, None if it is in another form."""
    if isinstance(value, Hash):
        return cython.cast(Hash, value).table
    if isinstance(value, SortedSet):
        return cython.cast(SortedSet, value).table
    return None


@cython.cfunc
@cython.exceptval(-1)
def effort_of(value: object) -> cython.Py_ssize_t:
    """The number of blocks of a list or a stream, 0 for any other value."""
    if isinstance(value, List):
        chain: Quicklist = cython.cast(List, value).chain
        return 0 if chain is None else chain.nodes
    return cython.cast(Stream, value).nodes.count if isinstance(value, Stream) else 0


@cython.cfunc
@cython.exceptval(check=False)
def node_at(stream: Stream, place: cython.pointer[Place]) -> StreamNodePointer:
    return cython.cast(StreamNodePointer, item_at(cython.address(stream.nodes), place))


def needed_version(keyspace: Keyspace, lowest: cython.int) -> int:
    """The lowest RDB version from ``lowest`` on with forms for all that is there, or a later one.

    As :func:`carnelian.persistence.writer.needed_version`, but without a look at any field.
    """
    db: Database
    entry: cython.pointer[Entry]
    for db in keyspace.databases:
        lowest = version_of_streams(db, lowest)
        for key in db.timed_hashes:
            if lowest >= WITH_TIMES:
                break
            entry = db.held(key)
            if entry is cython.NULL or entry.kind != OBJECT:
                continue
            value = cython.cast(object, reference_of(entry))
            if isinstance(value, Hash) and value.soonest is not None:
                lowest = WITH_TIMES
    return lowest
