"""RDB files on their way in: the entries between header and check sum, put into a key space.

https://rdb.fnordig.de/file_format.html describes the format up to version 7.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cython
from cython.cimports.carnelian.datatypes.tables.entry import (
    CLOCK_MASK,
    Content,
    describe_integer,
    drop_reference,
)
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.formats import (
    AUX,
    END,
    EXPIRY,
    EXPIRY_MS,
    FREQUENCY,
    FUNCTION,
    FUNCTION_EARLY,
    IDLE,
    MODULE_AUX,
    NEWEST,
    RESIZE,
    SELECT,
    SLOT_INFO,
    is_type,
)
from cython.cimports.carnelian.persistence.rdb.records import read_content
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int32_t, int64_t, uint32_t, uint64_t
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import (
    Corrupt,
    EmptyFile,
    EmptyValue,
    FormatError,
    ShortRead,
)
from carnelian.persistence.forms.module_types import module_name

# Bytes of the shortest key with its value: tables are made no larger than for so many of them.
SHORTEST = cython.declare(int64_t, 4)
# Empty collections are reported one by one up to this number.
MOST_REPORTS = cython.declare(int64_t, 10)
# Items of more bytes are tried again only when twice as many are there.
DOUBLED = cython.declare(cython.Py_ssize_t, 64 * 1024)
# From this version on there is a check sum, which is zero if it was not computed.
WITH_SUM = cython.declare(cython.int, 5)
# What a reader is about to do, by Reader.stage; in the words of redis-check-rdb.
STAGES = (
    "start", "read-type", "read-expire", "read-key", "read-object-value", "check-sum", "read-len",
    "read-aux", "read-module-aux", "read-functions",
)  # fmt: skip


class WrongSum(Corrupt):
    """The check sum does not fit; ``expected`` is that of the data, ``found`` the one stated."""

    def __init__(self, expected: int, found: int):
        super().__init__("RDB CRC error")
        self.expected = expected
        self.found = found


class DuplicateKey(FormatError):
    """A key is there twice."""


class TooManyDatabases(FormatError):
    """A key belongs to a database that there is none of here."""


class WrongVersion(FormatError):
    """It is of a version that nobody knew yet."""


class WrongSignature(WrongVersion):
    """It begins with something else: it is no snapshot."""


@cython.cfunc
@cython.exceptval(check=False)
def stage_of(opcode: cython.int) -> cython.int:
    """The stage of reading what is no key."""
    if opcode in (EXPIRY_MS, EXPIRY):
        return 2
    if opcode in (SELECT, RESIZE):
        return 6
    if opcode == AUX:
        return 7
    if opcode == MODULE_AUX:
        return 8
    return 9 if opcode in (FUNCTION, FUNCTION_EARLY) else 1


@cython.final
@cython.cclass
class Reader:
    """Reads one file; the attributes below may be set before :meth:`read`.

    - ``thorough``: look for elements of collections that are there twice;
    - ``keep_overdue``: load keys past their time, too (for a replica, and before the commands of
      an append-only file);
    - ``replacing``: a key takes the place of one that is there;
    - ``checking``: compare the check sum;
    - ``interval``, ``progress``: call ``progress()`` about every so many bytes, between keys;
    - ``delay_us``: microseconds to sleep at each key;
    - ``discarding``: look at everything, and keep nothing but keys, so that one that is there
      twice is found;
    - ``on_select(index)``: is told the number of the database that the following keys belong to;
    - ``on_expired(database, key)``: is given the keys that are not loaded, as their time is over;
    - ``on_aux(name, value)``: is given the facts about the file (``redis-ver`` and the like);
    - ``warn(message)``: is given what is odd but no reason to stop.

    ``stage`` is a place in STAGES, and ``keys_expiring`` how many keys have an expiry (only when
    discarding). ``functions`` are the libraries of functions, as texts.
    """

    def __cinit__(self, *args):
        self.key = cython.NULL
        self.key_room = 0

    def __init__(self, source: Source, keyspace: Keyspace):
        self.source = source
        self.keyspace = keyspace
        self.db = keyspace.databases[0]
        self.number = 0
        # The keys of each database, while values are discarded.
        self.seen = {0: self.db}
        self.thorough = False
        self.keep_overdue = False
        self.replacing = False
        self.discarding = False
        self.sum_checked = False
        self.stage = 0
        self.type = -1
        self.keys_expiring = 0
        self.on_select: Callable[[int], None] | None = None
        self.checking = True
        self.interval = 0
        self.delay_us = 0
        self.progress: Callable[[], None] | None = None
        self.on_expired: Callable[[int, bytes], None] | None = None
        self.on_aux: Callable[[bytes, bytes], None] | None = None
        self.warn: Callable[[str], None] | None = None
        self.version = 0
        self.keys_loaded = 0
        self.keys_expired = 0
        self.empty_skipped = 0
        self.functions: list[bytes] = []
        self.next_report = 0
        self.try_at = 0
        self.at_sum = False

    def __dealloc__(self):
        free(self.key)

    @property
    def current_key(self) -> bytes | None:
        """The key whose value is read."""
        return self.key[: self.key_length] if self.stage == 4 else None

    @property
    def position(self) -> int:
        """Bytes read until now."""
        return self.source.position()

    def read(self) -> None:
        """Read it all. Raises FormatError, OSError, MemoryError, or what ``progress`` raises."""
        opcode: cython.int
        self.now = self.keyspace.clock.ms
        self.expiry = self.idle = self.frequency = -1
        self.next_report = self.interval
        self.read_header()
        while True:
            self.stage = 1
            opcode = self.source.read_byte()
            if is_type(opcode):
                self.read_key(opcode)
                if self.interval and self.source.position() >= self.next_report:
                    self.report()
                if self.delay_us > 0:
                    time.sleep(self.delay_us / 1e6)
            elif not self.read_opcode(opcode):
                break
        self.check_sum()

    # -- In steps --------------------------------------------------------------------------------

    def feed(self, data: bytes, last: cython.bint = False) -> bool:
        """Take in the next bytes of the file, and read what is complete of it.

        Args:
            data: as many bytes as there are now.
            last: there will be no more of them.

        Returns:
            Whether the end of the file was read.

        Raises:
            FormatError, MemoryError: as :meth:`read`. ShortRead only if these were the last bytes.
        """
        mark: cython.Py_ssize_t
        self.source.feed(data)
        while True:
            mark = self.source.at
            if not last and self.source.end - mark < self.try_at:
                return False
            self.source.wanted = 0
            try:
                if self.advance_one():
                    return True
            except ShortRead:
                if last:
                    raise
                self.plan_retry(mark)
                self.source.rewind(mark)
                return False
            self.try_at = 0

    def plan_retry(self, mark: cython.Py_ssize_t) -> cython.int:
        """Read an item that begins at ``mark`` again when it may be whole.

        A large one is read no more often than its size doubles, all in all twice.
        """
        there: cython.Py_ssize_t = self.source.end - mark
        least: int64_t = 2 * there if there >= DOUBLED else there + 1
        self.try_at = max(least, self.source.wanted - mark)
        return 0

    def advance_one(self) -> cython.bint:
        """Read the header, a key, or what is between keys; returns True at the end."""
        opcode: cython.int
        if self.version == 0:
            self.now = self.keyspace.clock.ms
            self.expiry = self.idle = self.frequency = -1
            if self.source.left() < 9:
                raise ShortRead("Unexpected EOF reading RDB file")
            self.read_header()
            return False
        if self.at_sum:
            self.check_sum()
            return True
        self.stage = 1
        opcode = self.source.read_byte()
        if is_type(opcode):
            self.read_key(opcode)
            if self.delay_us > 0:
                time.sleep(self.delay_us / 1e6)
        elif not self.read_opcode(opcode):
            self.at_sum = True
        return False

    # -- At once ---------------------------------------------------------------------------------

    def report(self) -> cython.int:
        """Let others have a look."""
        self.next_report = self.source.position() + self.interval
        if self.progress is not None:
            self.progress()
        return 0

    def read_header(self) -> cython.int:
        """``REDIS`` and the version in four digits."""
        size: cython.Py_ssize_t = min(self.source.left(), 9)
        if size == 0:
            raise EmptyFile("Unexpected EOF reading RDB file")
        head: bytes = PyBytes_FromStringAndSize(
            cython.cast(cython.p_const_char, self.source.take(size)), size
        )
        if not head.startswith(b"REDIS"[:size]):
            raise WrongSignature("Wrong signature trying to load DB from file")
        if size < 9:
            raise ShortRead("Unexpected EOF reading RDB file")
        digits: str = head[5:].decode("latin-1")
        self.version = int(digits) if digits.isdecimal() and digits.isascii() else 0
        if not 1 <= self.version <= NEWEST:
            raise WrongVersion(f"Can't handle RDB format version {self.version}")
        return 0

    def check_sum(self) -> cython.int:
        """Compare the check sum at the end."""
        expected: uint64_t
        found: uint64_t
        if self.version < WITH_SUM:
            return 0
        self.stage = 5
        self.source.sum_up()
        expected = self.source.crc
        found = cython.cast(uint64_t, self.source.read_word())
        if not self.checking or not self.source.checking:
            return 0
        if found == 0:
            self.complain("RDB file was saved with checksum disabled: no check performed.")
        elif found != expected:
            raise WrongSum(expected, found)
        else:
            self.sum_checked = True
        return 0

    def complain(self, message: str) -> None:
        """Report something odd."""
        if self.warn is not None:
            self.warn(message)

    # -- What is between keys --------------------------------------------------------------------

    def read_opcode(self, opcode: cython.int) -> cython.bint:
        """What is no key; returns False at the end."""
        seconds: int32_t = 0
        self.stage = stage_of(opcode)
        if opcode == EXPIRY_MS:
            self.expiry = max(self.source.read_word(), 0)
        elif opcode == EXPIRY:
            memcpy(cython.address(seconds), self.source.take(4), 4)
            self.expiry = max(cython.cast(int64_t, seconds) * 1000, 0)
        elif opcode == IDLE:
            self.idle = min(self.source.read_length(), cython.cast(uint64_t, CLOCK_MASK))
        elif opcode == FREQUENCY:
            self.frequency = self.source.read_byte()
        elif opcode == SELECT:
            self.select()
        elif opcode == RESIZE:
            self.resize()
        elif opcode == AUX:
            self.read_aux()
        elif opcode in (FUNCTION, FUNCTION_EARLY):
            self.read_function(opcode == FUNCTION_EARLY)
        elif opcode == MODULE_AUX:
            self.skip_module()
        elif opcode == SLOT_INFO:
            self.source.read_length()
            self.source.read_length()
            self.source.read_length()
        elif opcode == END:
            return False
        else:
            raise Corrupt(f"Unknown RDB encoding type {opcode}")
        return True

    def select(self) -> cython.int:
        """The following keys belong to another database."""
        index: uint64_t = self.source.read_length()
        databases: list = self.keyspace.databases
        if self.on_select is not None:
            self.on_select(index)
        self.number = index
        if self.discarding:
            if index not in self.seen:
                self.seen[index] = Keyspace(self.keyspace.clock, 1).databases[0]
            self.db = self.seen[index]
            return 0
        if index >= cython.cast(uint64_t, len(databases)):
            raise TooManyDatabases(
                "FATAL: Data file was created with a Redis server configured to handle more than "
                f"{len(databases)} databases. Exiting"
            )
        self.db = databases[index]
        return 0

    def resize(self) -> cython.int:
        """How many keys the database has, and how many of them expire."""
        most: int64_t = self.source.left() // SHORTEST
        keys: uint64_t = self.source.read_length()
        expiring: uint64_t = self.source.read_length()
        if self.db.table.used == 0 and not self.discarding:
            self.db.table.reserve(min(keys, cython.cast(uint64_t, most)))
            self.db.expiring.reserve(min(expiring, cython.cast(uint64_t, most)))
        return 0

    def read_aux(self) -> cython.int:
        """A fact about the file."""
        name: bytes = self.source.read_bytes()
        value: bytes = self.source.read_bytes()
        if self.on_aux is not None:
            self.on_aux(name, value)
        return 0

    def read_function(self, early: cython.bint) -> cython.int:
        """A library of functions; release candidates of Redis 7 had its parts apart."""
        code: bytes
        if early:
            name: bytes = self.source.read_bytes()
            engine: bytes = self.source.read_bytes()
            if self.source.read_length():
                self.source.read_bytes()
            code = b"#!%s name=%s\n%s" % (engine, name, self.source.read_bytes())
        else:
            code = self.source.read_bytes()
        self.functions.append(code)
        return 0

    def skip_module(self) -> cython.int:
        """What a module keeps beside keys: pass it over."""
        name: str = module_name(self.source.read_length())
        what: uint64_t
        self.source.read_length()
        self.source.read_length()
        while True:
            what = self.source.read_length()
            if what == 0:
                break
            if what == 1 or what == 2:
                self.source.read_length()
            elif what == 3:
                self.source.take(4)
            elif what == 4:
                self.source.take(8)
            elif what == 5:
                self.source.read_bytes()
            else:
                raise Corrupt(f"Data of the module '{name}' that have no known form")
        self.complain(
            f"The RDB file contains AUX data of the module '{name}', which is not loaded: skipped."
        )
        return 0

    # -- Keys ------------------------------------------------------------------------------------

    def read_key(self, type: cython.int) -> cython.int:
        """A key with its value, and what was said about it before."""
        content = cython.declare(Content)
        self.stage = 3
        self.type = type
        self.read_name()
        self.stage = 4
        try:
            read_content(
                self.source, type, self.keyspace.limits, self.thorough, cython.address(content)
            )
        except EmptyValue:
            self.empty_skipped += 1
            if self.empty_skipped <= MOST_REPORTS:
                name = self.key[: self.key_length].decode("utf-8", "backslashreplace")
                self.complain(f"rdbLoadObject skipping empty key: {name}")
        else:
            if self.discarding:
                drop_reference(content.kind, content.word)
                self.discard()
            elif 0 <= self.expiry < self.now and not self.keep_overdue:
                drop_reference(content.kind, content.word)
                self.keys_expired += 1
                if self.on_expired is not None:
                    self.on_expired(self.number, self.key[: self.key_length])
            else:
                self.add(cython.address(content))
        self.expiry = self.idle = self.frequency = -1
        self.type = -1
        return 0

    def discard(self) -> cython.int:
        """Count the key, and note that it was there."""
        overdue: cython.bint = 0 <= self.expiry < self.now
        content = cython.declare(Content)
        if not overdue or self.keep_overdue:
            describe_integer(0, cython.address(content))
            if not self.db.load(
                self.key, self.key_length, cython.address(content), -1, 0, self.replacing
            ):
                self.refuse_duplicate()
        self.keys_loaded += 1
        self.keys_expiring += self.expiry >= 0
        self.keys_expired += overdue
        return 0

    def refuse_duplicate(self) -> cython.int:
        """The key has been there before."""
        name = self.key[: self.key_length].decode("utf-8", "backslashreplace")
        raise DuplicateKey(f"RDB has duplicated key '{name}' in DB {self.number}")

    def read_name(self) -> cython.int:
        """Read the key, and keep it until its value is read."""
        length: cython.Py_ssize_t = 0
        text: cython.p_const_char = self.source.read_text(cython.address(length))
        if length > self.key_room or self.key is cython.NULL:
            grown: cython.p_void = realloc(self.key, max(2 * length, 256))
            if grown is cython.NULL:
                raise MemoryError
            self.key = cython.cast(cython.p_char, grown)
            self.key_room = max(2 * length, 256)
        memcpy(self.key, text, length)
        self.key_length = length
        return 0

    def add(self, content: cython.pointer[Content]) -> cython.int:
        """Put the key into the database."""
        access: uint32_t = self.keyspace.new_access()
        if self.keyspace.lfu:
            if self.frequency >= 0:
                access = self.keyspace.access_with_frequency(self.frequency)
        elif self.idle >= 0:
            access = self.keyspace.access_with_idle(self.idle)
        if not self.db.load(
            self.key, self.key_length, content, self.expiry, access, self.replacing
        ):
            self.refuse_duplicate()
        self.keys_loaded += 1
        return 0


def read_file(fd: int, size: int, keyspace: Keyspace, check: bool) -> Reader:
    """A reader of ``size`` bytes from where a file stands."""
    return Reader(Source(None, fd, size, check), keyspace)


def read_pieces(keyspace: Keyspace, check: bool) -> Reader:
    """A reader of what is brought by :meth:`Reader.feed`."""
    return Reader(Source(None, -1, 0, check), keyspace)


def read_bytes(data: bytes, keyspace: Keyspace, check: bool = True) -> Reader:
    """A reader of a file's content."""
    return Reader(Source(data, -1, 0, check), keyspace)
