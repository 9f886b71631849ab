"""A database: what commands read and change keys with."""

from __future__ import annotations

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.entry import (
    BUFFER,
    BYTES,
    CLOCK_MASK,
    INLINE,
    INTEGER,
    MODIFIED,
    OBJECT,
    Content,
    Entry,
    build,
    describe_bytes,
    describe_copy,
    describe_entry,
    describe_integer,
    describe_object,
    describe_text,
    describe_zeros,
    expires,
    expiry_of,
    free_block,
    memory_of,
    read_key,
    read_value,
    reference_of,
    set_word_of,
    text_length,
    value_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.string import (
    StringBuffer,
    format_integer,
    parse_integer,
)
from cython.cimports.carnelian.datatypes.table import Found, Table, entry_at, forget
from cython.cimports.carnelian.keyspace.state import HIDE
from cython.cimports.carnelian.keyspace.store import Store, hash_of
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import INT64_MAX, INT64_MIN, int64_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memset

from carnelian.resp.replies import Error, WrongType

NO_KEY: int = -2
NO_EXPIRY: int = -1

# Longest text of which OBJECT ENCODING says "embstr".
EMBEDDED = cython.declare(cython.Py_ssize_t, 44)
# Buckets that a SCAN looks at for every key it was asked for.
SCAN_PATIENCE = cython.declare(cython.Py_ssize_t, 10)
# Draws of RANDOMKEY when every key may be past its time without being deleted.
RANDOM_DRAWS = cython.declare(cython.int, 100)
# A bytes object that is asked for at once by keys().
CHUNK = cython.declare(cython.Py_ssize_t, 256)


@cython.final
@cython.cclass
class Database(Store):
    """Keys and their values, with expiry and access clocks.

    Strings are ``bytes`` here, whatever form they are kept in; any other value is an object as
    :class:`carnelian.datatypes.value.Value` describes. Methods that look a key up delete it first
    when its time is up (see ``State.overdue``). Keys are looked up in O(1).
    """

    # -- Reading: counts a hit or a miss, and renews the access clock ---------------------------

    def lookup(self, key: bytes):
        """The value of a key, or None."""
        entry: cython.pointer[Entry] = self.read(key, True)
        return read_value(entry) if entry is not cython.NULL else None

    def string(self, key: bytes) -> bytes | None:
        """The string under a key, or None; raises WrongType for a collection."""
        entry: cython.pointer[Entry] = self.read(key, True)
        if entry is cython.NULL:
            return None
        if entry.kind == OBJECT:
            raise WrongType
        return read_value(entry)

    def collection(self, key: bytes, cls: type):
        """The value under a key, which has to be of that class, or None; raises WrongType."""
        return of_class(self.lookup(key), cls)

    def exists(self, key: bytes) -> cython.bint:
        """Whether the key is there; counted, but the access clock stays."""
        return self.read(key, False) is not cython.NULL

    def read_expiry(self, key: bytes) -> int64_t:
        """As :meth:`expiry`, but counted: for commands of the TTL family."""
        entry: cython.pointer[Entry] = self.read(key, False)
        if entry is cython.NULL:
            return -2
        return expiry_of(entry) if expires(entry) else -1

    def type_name(self, key: bytes) -> bytes | None:
        """``b"string"`` or what the collection calls itself, or None; the access clock stays."""
        entry: cython.pointer[Entry] = self.read(key, False)
        return entry_type(entry) if entry is not cython.NULL else None

    # -- Looking: neither counted nor touched ----------------------------------------------------

    def peek(self, key: bytes):
        """The value of a key, or None."""
        entry: cython.pointer[Entry] = self.find(key)
        return read_value(entry) if entry is not cython.NULL else None

    def has(self, key: bytes) -> cython.bint:
        """Whether the key is there."""
        return self.find(key) is not cython.NULL

    def __contains__(self, key: bytes) -> bool:
        return self.find(key) is not cython.NULL

    def __iter__(self) -> Iterator[bytes]:
        return self.keys()

    def __len__(self) -> int:
        return self.table.used

    def size(self) -> cython.Py_ssize_t:
        """Number of keys, those past their time but not yet deleted included."""
        return self.table.used

    @property
    def expires_count(self) -> int:
        """Number of keys that expire."""
        return self.expiring.used

    @property
    def table_stats(self) -> dict:
        """Figures of the hash tables, for DEBUG HTSTATS and MEMORY STATS."""
        return {
            "keys": self.table.stats() | {"bytes": self.table.memory()},
            "expires": self.expiring.stats() | {"bytes": self.expiring.memory()},
        }

    def holds(self, key: bytes) -> cython.bint:
        """Whether the key takes up memory, be its time over or not; deletes nothing."""
        return self.held(key) is not cython.NULL

    def is_overdue(self, key: bytes) -> cython.bint:
        """Whether the key is still held though its time is over; deletes nothing."""
        entry: cython.pointer[Entry] = self.held(key)
        return (
            entry is not cython.NULL
            and expires(entry)
            and self.keyspace.clock.ms > expiry_of(entry)
        )

    def expiry(self, key: bytes) -> int64_t:
        """When the key expires, in ms since 1970; -1 if it does not, -2 if it is not there."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return -2
        return expiry_of(entry) if expires(entry) else -1

    def encoding(self, key: bytes) -> bytes | None:
        """What OBJECT ENCODING says of the value, or None."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return None
        if entry.kind == INTEGER:
            return b"int"
        if entry.kind == OBJECT:
            return cython.cast(object, reference_of(entry)).encoding()
        if entry.kind == INLINE and entry.length <= EMBEDDED and not entry.access & MODIFIED:
            return b"embstr"
        return b"raw"

    def idle_seconds(self, key: bytes):
        """Seconds since the key was last accessed, or None if it is not there."""
        entry: cython.pointer[Entry] = self.find(key)
        return self.keyspace.idle_ms(entry.access) // 1000 if entry is not cython.NULL else None

    def frequency(self, key: bytes):
        """The logarithmic access counter of LFU policies, 0 to 255, or None."""
        entry: cython.pointer[Entry] = self.find(key)
        return self.keyspace.frequency(entry.access) if entry is not cython.NULL else None

    def memory_usage(self, key: bytes):
        """Bytes that the key, its value and its places in the tables take, or None."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return None
        return memory_of(entry) + (16 if expires(entry) else 8)

    # -- Looking in order to change: renews the access clock, counts nothing ---------------------

    def value_to_change(self, key: bytes):
        """The value of a key, or None."""
        entry: cython.pointer[Entry] = self.write(key)
        return read_value(entry) if entry is not cython.NULL else None

    def string_to_change(self, key: bytes) -> bytes | None:
        """The string under a key, or None; raises WrongType."""
        entry: cython.pointer[Entry] = self.write(key)
        if entry is cython.NULL:
            return None
        if entry.kind == OBJECT:
            raise WrongType
        return read_value(entry)

    def collection_to_change(self, key: bytes, cls: type):
        """The value under a key, which has to be of that class, or None; raises WrongType."""
        return of_class(self.value_to_change(key), cls)

    def touch(self, key: bytes) -> cython.bint:
        """Renew the access clock and count, as TOUCH does; returns whether the key is there."""
        return self.read(key, True) is not cython.NULL

    # -- Keys ------------------------------------------------------------------------------------

    def add(self, key: bytes, value: object, expiry: int64_t = -1) -> cython.bint:
        """Add a key with any kind of value unless it is there; returns whether it was added."""
        content = cython.declare(Content)
        if self.find(key) is not cython.NULL:
            return False
        describe(value, cython.address(content))
        self.put(key, cython.address(content), False, expiry)
        return True

    def replace(
        self, key: bytes, value: object, keep_ttl: cython.bint = False, expiry: int64_t = -1
    ) -> cython.bint:
        """Set a key to any kind of value; returns whether it was there. Else as set_string."""
        content = cython.declare(Content)
        describe(value, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, expiry)

    def delete(self, key: bytes) -> cython.bint:
        """Delete a key; returns whether it was there."""
        return self.remove(key, False)

    def unlink(self, key: bytes) -> cython.bint:
        """Delete a key and free its value later if that is much work."""
        return self.remove(key, True)

    def remove(self, key, lazy):
        """Delete a key."""
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        if slot is cython.NULL:
            return False
        self.erase(hash, slot, lazy)
        return True

    def set_expiry(self, key: bytes, ms: int64_t) -> cython.bint:
        """Let a key expire at that time (ms since 1970, at least 0); returns whether it is there.

        A time that is past already is for the caller to notice: the key goes when it is next met.
        """
        return self.set_entry_expiry(key, max(ms, 0))

    def persist(self, key: bytes) -> cython.bint:
        """Let a key live; returns whether it would have expired."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL or not expires(entry):
            return False
        return self.set_entry_expiry(key, -1)

    def rename(self, key: bytes, new_key: bytes) -> cython.bint:
        """Give the value, its expiry and its access clock another key, whose own value goes.

        Returns False if there is no such key.
        """
        if self.find(key) is cython.NULL:
            return False
        if key == new_key:
            return True
        self.remove(new_key, self.keyspace.lazy_server_del)
        return self.transfer(key, self, new_key)

    def move(self, key: bytes, to: Database) -> cython.bint:
        """Move a key to another database; False if it is not here or is there already."""
        if self.find(key) is cython.NULL or to.find(key) is not cython.NULL:
            return False
        return self.transfer(key, to, key)

    def transfer(self, key, to, new_key):
        """Move an entry to a key that is not there."""
        hash: uint64_t = hash_of(key)
        new_hash: uint64_t = hash_of(new_key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        content = cython.declare(Content)
        entry: cython.pointer[Entry]
        fresh: cython.pointer[Entry]
        if slot is cython.NULL:
            return False
        entry = entry_at(slot)
        describe_entry(entry, cython.address(content))
        fresh = build(
            PyBytes_AS_STRING(new_key),
            PyBytes_GET_SIZE(new_key),
            entry.access,
            expiry_of(entry) if expires(entry) else -1,
            cython.address(content),
        )
        self.detach(hash, slot)
        free_block(entry)
        to.table.insert(new_hash, fresh)
        if expires(fresh):
            to.index_expiry(new_hash, fresh)
        to.added(new_key)
        return True

    def copy(
        self, key: bytes, to: Database, new_key: bytes, replace: cython.bint = False
    ) -> cython.bint:
        """Copy value and expiry to a key of the same or another database.

        False if there is no such key, or if the other one is there and not to be replaced.
        """
        content = cython.declare(Content)
        expiry: int64_t
        if self.find(key) is cython.NULL:
            return False
        if to.find(new_key) is not cython.NULL:
            if not replace:
                return False
            to.remove(new_key, self.keyspace.lazy_server_del)
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return False
        expiry = expiry_of(entry) if expires(entry) else -1
        describe_copy(entry, cython.address(content))
        to.put(new_key, cython.address(content), False, expiry)
        return True

    def set_idle(self, key: bytes, seconds: int64_t) -> cython.bint:
        """Let a key look unused for so long; returns whether it is there."""
        return self.set_access(key, self.keyspace.access_with_idle(seconds))

    def set_frequency(self, key: bytes, frequency: cython.int) -> cython.bint:
        """Set the access counter (0 to 255) of a key; returns whether it is there."""
        return self.set_access(key, self.keyspace.access_with_frequency(frequency))

    def set_access(self, key, access):
        """Set the access clock."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return False
        entry.access = (entry.access & ~cython.cast(uint32_t, CLOCK_MASK)) | access
        return True

    def changed(self, key: bytes, kind: cython.int, event: bytes):
        """Report one change of a key: handlers call this once per key that they changed.

        ``kind`` is one of ``keyspace.events``, ``event`` the name as notifications carry it.
        """
        self.keyspace.dirty += 1
        if self.keyspace.observer is not None:
            self.keyspace.observer(self, key, kind, event)

    # -- Strings ---------------------------------------------------------------------------------

    def set_string(
        self, key: bytes, value: bytes, keep_ttl: cython.bint = False, expiry: int64_t = -1
    ) -> cython.bint:
        """Set a key to a string, whatever it held; returns whether it was there.

        The key expires at ``expiry`` (ms since 1970; below zero: never) or, with ``keep_ttl``,
        when it would have before.
        """
        content = cython.declare(Content)
        describe_bytes(value, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, expiry)

    def set_text(self, key: bytes, text: bytes, keep_ttl: cython.bint = False) -> cython.bint:
        """:meth:`set_string`, but never kept as an integer."""
        content = cython.declare(Content)
        describe_text(text, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, -1)

    def set_integer(
        self, key: bytes, number: int64_t, keep_ttl: cython.bint = False
    ) -> cython.bint:
        """Set a key to the decimal form of a number; returns whether it was there."""
        content = cython.declare(Content)
        describe_integer(number, cython.address(content))
        return self.put(key, cython.address(content), keep_ttl, -1)

    def increment(self, key: bytes, delta: int64_t) -> int64_t:
        """Add to the integer under a key, zero if it is not there; returns the sum.

        Raises WrongType, or Error if the value is no 64-bit integer or the sum would not be one.
        """
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        entry: cython.pointer[Entry]
        content = cython.declare(Content)
        number: int64_t
        if slot is cython.NULL:
            describe_integer(delta, cython.address(content))
            self.create(key, hash, cython.address(content), -1)
            self.added(key)
            return delta
        entry = entry_at(slot)
        number = word_of(entry) if entry.kind == INTEGER else integer_of_text(entry)
        if number > INT64_MAX - delta if delta > 0 else number < INT64_MIN - delta:
            raise Error("ERR increment or decrement would overflow")
        number += delta
        if entry.kind == INTEGER:
            self.touch_entry(entry)
            set_word_of(entry, number)
            return number
        describe_integer(number, cython.address(content))
        self.overwrite(
            hash, slot, cython.address(content), expiry_of(entry) if expires(entry) else -1
        )
        return number

    def append(self, key: bytes, tail: bytes) -> cython.Py_ssize_t:
        """Append to the string under a key, or set it; returns the length. Amortized O(tail).

        Raises WrongType, or Error if the string would be too long.
        """
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(tail)
        entry: cython.pointer[Entry] = self.write(key)
        length: cython.Py_ssize_t
        if entry is cython.NULL:
            self.set_string(key, tail)
            return size
        if entry.kind == OBJECT:
            raise WrongType
        length = text_length(entry)
        self.check_length(length, size)
        memcpy(self.edit(key, length + size) + length, PyBytes_AS_STRING(tail), size)
        return length + size

    def set_range(self, key: bytes, offset: cython.Py_ssize_t, part: bytes) -> cython.Py_ssize_t:
        """Overwrite a part of the string under a key, zeros filling any gap; returns the length.

        Nothing happens for an empty part. Raises WrongType, or Error if the offset is negative or
        the string would be too long.
        """
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(part)
        entry: cython.pointer[Entry]
        length: cython.Py_ssize_t = 0
        if offset < 0:
            raise Error("ERR offset is out of range")
        entry = self.write(key)
        if entry is not cython.NULL:
            if entry.kind == OBJECT:
                raise WrongType
            length = text_length(entry)
        if size == 0:
            return length
        self.check_length(offset, size)
        memcpy(self.edit(key, offset + size) + offset, PyBytes_AS_STRING(part), size)
        return max(length, offset + size)

    def string_length(self, key: bytes) -> cython.Py_ssize_t:
        """Length of the string under a key, 0 if it is not there; raises WrongType."""
        entry: cython.pointer[Entry] = self.read(key, True)
        if entry is cython.NULL:
            return 0
        if entry.kind == OBJECT:
            raise WrongType
        return text_length(entry)

    def get_range(self, key: bytes, start: int64_t, end: int64_t) -> bytes:
        """Bytes ``start`` to ``end``, both included; below zero they count from the end.

        Empty where there is nothing; raises WrongType.
        """
        digits = cython.declare(cython.char[24])
        length: cython.Py_ssize_t = 0
        data: cython.p_const_char = self.view(key, digits, cython.address(length))
        if length == 0 or (start < 0 and end < 0 and start > end):
            return b""
        if start < 0:
            start = max(start + length, 0)
        if end < 0:
            end = max(end + length, 0)
        end = min(end, length - 1)
        if start > end:
            return b""
        return PyBytes_FromStringAndSize(data + start, end - start + 1)

    def view(self, key, digits, length):
        """The text under a key for a command that reads it, good until the next change; or NULL.

        ``digits`` has room for 24 bytes; the text of an integer is written there. Raises WrongType.
        """
        entry: cython.pointer[Entry] = self.read(key, True)
        length[0] = 0
        if entry is cython.NULL:
            return cython.NULL
        return self.text(entry, digits, length)

    def text(self, entry, digits, length):
        """The text of an entry; raises WrongType."""
        kind: cython.int = entry.kind
        if kind == OBJECT:
            raise WrongType
        length[0] = text_length(entry)
        if kind == INLINE:
            return value_of(entry)
        if kind == INTEGER:
            format_integer(word_of(entry), digits)
            return digits
        if kind == BYTES:
            return PyBytes_AS_STRING(cython.cast(bytes, reference_of(entry)))
        return cython.cast(StringBuffer, reference_of(entry)).data

    def edit(self, key, length):
        """The bytes under a key, to be changed in place, good until the next change.

        The string is there afterwards and at least ``length`` bytes long, new bytes being zero.
        Raises WrongType.
        """
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        entry: cython.pointer[Entry]
        content = cython.declare(Content)
        digits = cython.declare(cython.char[24])
        size: cython.Py_ssize_t = 0
        if slot is cython.NULL:
            describe_zeros(digits, 0, length, cython.address(content))
            self.create(key, hash, cython.address(content), -1)
            self.added(key)
            entry = self.find(key)
            if entry is cython.NULL:
                raise RuntimeError("a key was deleted while it was added")
            return cython.cast(cython.p_char, self.text(entry, digits, cython.address(size)))
        entry = entry_at(slot)
        data: cython.p_const_char = self.text(entry, digits, cython.address(size))
        if entry.kind == BUFFER:
            buffer: StringBuffer = cython.cast(StringBuffer, reference_of(entry))
            if length > size:
                buffer.resize(length)
            return buffer.data
        describe_zeros(data, size, max(size, length), cython.address(content))
        entry = self.overwrite(
            hash, slot, cython.address(content), expiry_of(entry) if expires(entry) else -1
        )
        return cython.cast(cython.p_char, self.text(entry, digits, cython.address(size)))

    def check_length(self, offset, length):
        """Raise Error if a string of that length is not allowed."""
        if offset > self.keyspace.max_string - length:
            raise Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
        return 0

    # -- All keys --------------------------------------------------------------------------------

    def random_key(self) -> bytes | None:
        """A key, each with the same chance, or None if there is none."""
        draws: cython.int = RANDOM_DRAWS
        entry: cython.pointer[Entry]
        key: bytes
        while True:
            entry = self.table.random()
            if entry is cython.NULL:
                return None
            if not self.hidden(entry):
                return read_key(entry)
            key = read_key(entry)
            if self.keyspace.overdue == HIDE:
                draws -= 1
                if draws == 0 and self.expiring.used == self.table.used:
                    return key
            self.has(key)

    def scan(self, cursor: uint64_t, count: cython.Py_ssize_t = 10, type_name: bytes | None = None):
        """``(next cursor, keys)``: about ``count`` keys, only those of a type if it is given.

        Begin with cursor 0 and go on until it is 0 again: a key that is there all the while is
        returned at least once, whatever else is added, deleted or resized in between.
        """
        found = cython.declare(Found)
        visits: cython.Py_ssize_t = count * SCAN_PATIENCE
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while True:
                cursor = self.table.scan(cursor, cython.address(found))
                visits -= 1
                if cursor == 0 or visits <= 0 or found.count >= count:
                    break
            return cursor, self.visible_keys(cython.address(found), type_name)
        finally:
            forget(cython.address(found))

    def visible_keys(self, found, type_name):
        """The keys of collected entries; those past their time are dealt with."""
        keys: list = []
        overdue: list = []
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        for i in range(found.count):
            entry = found.items[i]
            if self.hidden(entry):
                overdue.append(read_key(entry))
            elif type_name is None or entry_type(entry) == type_name:
                keys.append(read_key(entry))
        for key in overdue:
            self.has(key)
        return keys

    def keys(self) -> Iterator[bytes]:
        """Every key, once if the database does not change meanwhile."""
        cursor: uint64_t = 0
        while True:
            cursor, keys = self.scan(cursor, CHUNK)
            yield from keys
            if cursor == 0:
                return

    def sample(self, expiring: cython.bint, count: cython.Py_ssize_t) -> list:
        """About ``count`` neighbouring keys from a random place, as candidates for eviction.

        Each is ``(key, idle milliseconds, access counter, expiry or -1)``. With ``expiring`` only
        keys that expire are looked at.
        """
        table: Table = self.expiring if expiring else self.table
        found = cython.declare(Found)
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        chosen: list = []
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            table.some(count, cython.address(found))
            for i in range(min(found.count, count)):
                entry = found.items[i]
                chosen.append(
                    (
                        read_key(entry),
                        self.keyspace.idle_ms(entry.access),
                        self.keyspace.frequency(entry.access),
                        expiry_of(entry) if expires(entry) else -1,
                    )
                )
        finally:
            forget(cython.address(found))
        return chosen

    def flush(self, lazy: bool = False) -> int:
        """Delete everything, later and in steps if ``lazy``; returns how many keys there were."""
        table: Table = self.table
        expiring: Table = self.expiring
        removed: cython.Py_ssize_t = table.used
        self.table = Table()
        self.expiring = Table(False)
        self.avg_ttl = 0
        self.expire_cursor = 0
        if lazy:
            self.keyspace.trash.add_table(expiring)
            self.keyspace.trash.add_table(table)
        else:
            table.drain(table.buckets())
        return removed

    def exchange(self, other: Database) -> None:
        """Swap contents with another database."""
        self.table, other.table = other.table, self.table
        self.expiring, other.expiring = other.expiring, self.expiring
        self.avg_ttl, other.avg_ttl = other.avg_ttl, self.avg_ttl
        self.expire_cursor, other.expire_cursor = other.expire_cursor, self.expire_cursor

    def reserve(self, keys: cython.Py_ssize_t, expiring: cython.Py_ssize_t = 0) -> None:
        """Make room for so many keys at once, before a file is loaded; nothing if not empty."""
        self.table.reserve(keys)
        self.expiring.reserve(expiring)

    def rehash(self, buckets: cython.Py_ssize_t) -> cython.bint:
        """Go on with a resize, if there is one; returns whether there is more to do."""
        self.table.step(buckets)
        self.expiring.step(buckets)
        return self.table.rehashing() or self.expiring.rehashing()

    def hold_resizes(self, held: bool) -> None:
        """Start no resize that can wait."""
        self.table.steady = held
        self.expiring.steady = held

    def reap(self, wanted, most_buckets, now, reaped):
        """Look at about ``wanted`` keys that expire and delete those that should have, by now."""
        found = cython.declare(Found)
        i: cython.Py_ssize_t
        ttl: int64_t
        overdue: list = []
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while found.count < wanted and most_buckets > 0:
                self.expire_cursor = self.expiring.scan(self.expire_cursor, cython.address(found))
                most_buckets -= 1
            for i in range(found.count):
                ttl = expiry_of(found.items[i]) - now
                if ttl < 0:
                    overdue.append(read_key(found.items[i]))
                elif ttl > 0:
                    reaped.ttl_sum += ttl
                    reaped.living += 1
            reaped.sampled += found.count
        finally:
            forget(cython.address(found))
        for key in overdue:
            self.reap_key(key, now)
        reaped.expired += len(overdue)
        return 0

    def reap_key(self, key, now):
        """Delete a key if it is still there and past its time."""
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.expiring.find(
            hash, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        if slot is not cython.NULL and expiry_of(entry_at(slot)) < now:
            self.expire(key, hash, self.table.find_entry(hash, entry_at(slot)))
        return 0


@cython.cfunc
def of_class(value: object, cls: type):
    """``value`` if it is None or of that class; raises WrongType."""
    if value is not None and not isinstance(value, cls):
        raise WrongType
    return value


@cython.cfunc
@cython.exceptval(-1)
def describe(value: object, content: cython.pointer[Content]) -> cython.int:
    """Any kind of value."""
    if type(value) is bytes:
        return describe_bytes(value, content)
    return describe_object(value, content)


@cython.cfunc
def entry_type(entry: cython.pointer[Entry]) -> bytes:
    """The name of the entry's type."""
    if entry.kind == OBJECT:
        return cython.cast(object, reference_of(entry)).type_name
    return b"string"


@cython.cfunc
@cython.exceptval(-1, check=True)
def integer_of_text(entry: cython.pointer[Entry]) -> int64_t:
    """The integer that a text stands for; raises WrongType, or Error if it is none."""
    number: int64_t = 0
    if entry.kind == OBJECT:
        raise WrongType
    text: bytes = read_value(entry) if text_length(entry) <= 20 else b""
    if not parse_integer(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)):
        raise Error("ERR value is not an integer or out of range")
    return number
