"""The whole data set as the shortest commands that make it again, one key after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.entry import (
    BUFFER,
    BYTES,
    INLINE,
    INTEGER,
    Entry,
    expires,
    expiry_of,
    key_length,
    key_of,
    read_key,
    read_value,
    reference_of,
    value_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.hash import FIELDS, VALUES, Hash
from cython.cimports.carnelian.datatypes.list import List
from cython.cimports.carnelian.datatypes.scored_pack import FLAT
from cython.cimports.carnelian.datatypes.set import Set
from cython.cimports.carnelian.datatypes.sorted_set import SortedSet, score_of
from cython.cimports.carnelian.datatypes.string import StringBuffer, format_integer
from cython.cimports.carnelian.datatypes.walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.writeback import write_behind
from cython.cimports.carnelian.resp.command_buffer import CommandBuffer
from cython.cimports.carnelian.resp.numbers import format_float, format_int
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.exc import PyErr_SetFromErrno
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.posix.unistd import write

if TYPE_CHECKING:
    from carnelian.persistence.spool import Spool

# Items of a collection in one command, and how many are taken out of it at a time.
ITEMS = cython.declare(cython.Py_ssize_t, 64)
TAKEN = cython.declare(cython.Py_ssize_t, 64 * 64)
# Bytes that are gathered before they are written.
GATHERED = cython.declare(cython.Py_ssize_t, 128 * 1024)
# Bytes after which the kernel is told to write out (aof-rewrite-incremental-fsync).
SYNC_INTERVAL = cython.declare(int64_t, 4 * 1024 * 1024)
# The low half of an id as a number.
_HALF: int = (1 << 64) - 1
# Keys between two reports.
REPORT = cython.declare(int64_t, 1024)


@cython.final
@cython.cclass
class Rewriter:
    """Writes the commands to a file.

    - ``progress(keys)``: called now and then with the number of keys written;
    - ``delay_us``: microseconds to sleep at each key.

    Args:
        fd: the file; -1 if there is a spool.
        sync: have the kernel write out as it goes on.
        spool: takes what is written in place of the file.
    """

    def __init__(self, fd: int, sync: bool, spool: Spool | None = None):
        self.buffer = CommandBuffer()
        self.fd = fd
        self.spool = spool
        self.syncing = sync
        self.written = self.synced = self.keys = self.delay_us = 0
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

    def write_database(self, db):
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

    def write_select(self, index):
        """Keys that follow are of this database."""
        self.buffer.command([b"SELECT", b"%d" % index])
        return 0

    def write_member(self, key, kind, member):
        """One member of a sorted set or a hash, ``kind`` being its class."""
        if kind is SortedSet:
            self.buffer.command([b"ZADD", key, format_float(score_of(member)), read_key(member)])
        else:
            field: bytes = read_key(member)
            self.buffer.command([b"HSET", key, field, read_value(member)])
            if expires(member):
                self.buffer.command(
                    [b"HPEXPIREAT", key, format_int(expiry_of(member)), b"FIELDS", b"1", field]
                )
        return self.flush(GATHERED)

    def write_text(self, key, text):
        """One member of a set."""
        self.buffer.command([b"SADD", key, text])
        return self.flush(GATHERED)

    def write_key(self, entry):
        """A key with its value, and when it expires."""
        if entry.kind <= BUFFER:
            self.write_string(entry)
        else:
            self.write_value(read_key(entry), cython.cast(object, reference_of(entry)))
        if expires(entry):
            self.buffer.command([b"PEXPIREAT", read_key(entry), format_int(expiry_of(entry))])
        self.flush(GATHERED)
        self.keys += 1
        if self.keys % REPORT == 0 and self.progress is not None:
            self.progress(self.keys)
        if self.delay_us > 0:
            time.sleep(self.delay_us / 1e6)
        return 0

    def write_string(self, entry):
        """A string, without making an object of it."""
        digits = cython.declare(cython.char[24])
        buffer: CommandBuffer = self.buffer
        buffer.begin(3)
        buffer.word(b"SET", 3)
        buffer.word(key_of(entry), key_length(entry))
        if entry.kind == INLINE:
            return buffer.word(value_of(entry), entry.length)
        if entry.kind == INTEGER:
            return buffer.word(digits, format_integer(word_of(entry), digits))
        if entry.kind == BYTES:
            text: bytes = cython.cast(bytes, reference_of(entry))
            return buffer.word(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        held: StringBuffer = cython.cast(StringBuffer, reference_of(entry))
        return buffer.word(held.data, held.length)

    def write_value(self, key, value):
        """A collection."""
        if isinstance(value, List):
            self.write_list(key, value)
        elif isinstance(value, Set):
            self.write_some(b"SADD", key, cython.cast(Set, value).members(), ITEMS)
        elif isinstance(value, Hash):
            self.write_hash(key, value)
        elif isinstance(value, SortedSet):
            self.write_sorted_set(key, value)
        else:
            self.write_stream(key, value)

    def write_some(self, verb, key, words, most):
        """Commands that add words to a collection, so many at a time."""
        start: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        end: cython.Py_ssize_t
        word: bytes
        while start < len(words):
            end = min(start + most, len(words))
            self.buffer.begin(2 + end - start)
            self.buffer.word(PyBytes_AS_STRING(verb), PyBytes_GET_SIZE(verb))
            self.buffer.word(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            for i in range(start, end):
                word = words[i]
                self.buffer.word(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word))
            self.flush(GATHERED)
            start = end

    def write_list(self, key, value):
        """A list, in pieces."""
        start: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        while start < value.size():
            count = min(TAKEN, value.size() - start)
            self.write_some(b"RPUSH", key, value.items(start, count), ITEMS)
            start += count

    def write_hash(self, key, value):
        """A hash, and when fields of it expire."""
        moment: int64_t
        self.write_some(b"HMSET", key, value.collect(FIELDS | VALUES), 2 * ITEMS)
        if value.times is None:
            return
        for field in value.collect(FIELDS):
            moment = value.expiry(field)
            if moment >= 0:
                self.buffer.command(
                    [b"HPEXPIREAT", key, format_int(moment), b"FIELDS", b"1", field]
                )
                self.flush(GATHERED)

    def write_sorted_set(self, key, value):
        """A sorted set, in pieces."""
        rank: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        pairs: list
        words: list
        i: cython.Py_ssize_t
        while rank < value.size():
            count = min(TAKEN, value.size() - rank)
            pairs = value.slice(rank, count, False, FLAT)
            words = []
            for i in range(0, 2 * count, 2):
                words.append(format_float(pairs[i + 1]))
                words.append(pairs[i])
            self.write_some(b"ZADD", key, words, 2 * ITEMS)
            rank += count

    def write_stream(self, key, value):
        """A stream with its groups; one without entries is made by adding one that goes at once."""
        start: tuple = (0, 0)
        entries: list = value.entries(start, count=TAKEN)
        if not entries:
            self.buffer.command([b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"])
        while entries:
            for id_, words in entries:
                self.buffer.command([b"XADD", key, _text(id_), *words])
                self.flush(GATHERED)
                start = id_
            entries = []
            if start < value.last_id:
                entries = value.entries(_next(start), count=TAKEN)
        self.buffer.command(
            [
                b"XSETID", key, _text(value.last_id),
                b"ENTRIESADDED", b"%d" % value.entries_added,
                b"MAXDELETEDID", _text(value.max_deleted_id),
            ]
        )  # fmt: skip
        for group in value.groups():
            self.write_group(key, group)
        if value.idempotency is not None:
            self.write_idempotency(key, value.idempotency)

    def write_idempotency(self, key, known):
        """What was added to a stream under which names."""
        self.buffer.command(
            [
                b"XCFGSET", key, b"IDMP-DURATION", b"%d" % known.duration_s,
                b"IDMP-MAXSIZE", b"%d" % known.most,
            ]
        )  # fmt: skip
        for producer, name, id_ in known:
            self.buffer.command(
                [b"XIDMPRECORD", key, producer, name, _text((id_ >> 64, id_ & _HALF))]
            )
            self.flush(GATHERED)

    def write_group(self, key, group):
        """A group of a stream, its consumers, and what is pending for them."""
        name: bytes = group.name
        self.buffer.command(
            [
                b"XGROUP", b"CREATE", key, name, _text(group.last_id),
                b"ENTRIESREAD", b"%d" % group.entries_read,
            ]
        )  # fmt: skip
        deliveries: dict = {(ms, seq): (moment, count) for ms, seq, moment, count in group}
        for consumer in group.in_order():
            if len(consumer) == 0:
                self.buffer.command([b"XGROUP", b"CREATECONSUMER", key, name, consumer.name])
            for id_ in consumer:
                moment, count = deliveries[id_]
                self.buffer.command(
                    [
                        b"XCLAIM", key, name, consumer.name, b"0", _text(id_),
                        b"TIME", b"%d" % moment, b"RETRYCOUNT", b"%d" % count,
                        b"JUSTID", b"FORCE",
                    ]
                )  # fmt: skip
                self.flush(GATHERED)
        self.write_released(key, group, deliveries)

    def write_released(self, key, group, deliveries):
        """Pending entries of a group that are nobody's; those with one count go together."""
        some: list = []
        counted: int64_t = 0
        for id_ in group.without_consumer():
            if some and (deliveries[id_][1] != counted or len(some) == ITEMS):
                self.write_some_released(key, group.name, some, counted)
                some = []
            counted = deliveries[id_][1]
            some.append(_text(id_))
        if some:
            self.write_some_released(key, group.name, some, counted)

    def write_some_released(self, key, name, ids, count):
        """Pending entries that are nobody's and were delivered so many times."""
        self.buffer.command(
            [
                b"XNACK", key, name, b"FAIL", b"IDS", b"%d" % len(ids), *ids,
                b"RETRYCOUNT", b"%d" % count, b"FORCE",
            ]
        )  # fmt: skip
        self.flush(GATHERED)

    def flush(self, least):
        """Write what was gathered, if it is so many bytes."""
        count: cython.Py_ssize_t
        done: cython.Py_ssize_t = 0
        if self.buffer.length < least:
            return 0
        if self.spool is not None:
            self.spool.put(self.buffer.value())
            self.buffer.clear()
            return 0
        while done < self.buffer.length:
            count = write(self.fd, self.buffer.data + done, self.buffer.length - done)
            if count < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            done += count
        self.written += done
        self.buffer.clear()
        if self.syncing and self.written - self.synced >= SYNC_INTERVAL:
            if write_behind(self.fd, self.synced, self.written - self.synced) != 0:
                os.fsync(self.fd)
            self.synced = self.written
        return 0


def _text(id_: tuple) -> bytes:
    return b"%d-%d" % (id_[0], id_[1])


def _next(id_: tuple) -> tuple:
    ms, seq = id_
    return (ms, seq + 1) if seq < (1 << 64) - 1 else (ms + 1, 0)
