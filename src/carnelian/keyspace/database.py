"""A database: what commands read and change keys with."""

from __future__ import annotations

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.algorithms.glob import matches
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import HASH_SLOTS
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.tables.entry import (
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
    describe_object,
    expires,
    expiry_of,
    free_block,
    memory_of,
    read_key,
    read_value,
    reference_of,
    text_length,
)
from cython.cimports.carnelian.datatypes.tables.slot_index import SlotIndex
from cython.cimports.carnelian.datatypes.tables.table import Found, Table, entry_at, forget
from cython.cimports.carnelian.datatypes.tables.table import keep as keep_entry
from cython.cimports.carnelian.keyspace.events import GENERIC
from cython.cimports.carnelian.keyspace.state import HIDE
from cython.cimports.carnelian.keyspace.store import hash_of, type_of
from cython.cimports.carnelian.keyspace.string_store import Strings
from cython.cimports.carnelian.resp.libc import get_item
from cython.cimports.carnelian.resp.parser import AHEAD
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.list import PyList_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint32_t, uint64_t
from cython.cimports.libc.string import memset

from carnelian.resp.replies import WRONG_TYPE

NO_KEY: int = -2
NO_EXPIRY: int = -1

# Longest text of which OBJECT ENCODING says "embstr".
EMBEDDED = cython.declare(cython.Py_ssize_t, 44)
# Buckets that a SCAN looks at for every key it was asked for.
SCAN_PATIENCE = cython.declare(cython.Py_ssize_t, 10)
# Draws of RANDOMKEY when every key may be past its time without being deleted.
RANDOM_DRAWS = cython.declare(cython.int, 100)
# Keys that keys() asks a scan for at once.
CHUNK = cython.declare(cython.Py_ssize_t, 256)
# Keys of which the cache of a processor holds most.
CACHED_KEYS = cython.declare(cython.Py_ssize_t, 5000)
# Longest first argument that is hashed before it is known to be a key.
FETCHED_LENGTH = cython.declare(cython.Py_ssize_t, 256)


@cython.final
@cython.cclass
class Database(Strings):
    """Keys and their values, with expiry and access clocks.

    Strings are ``bytes`` here, whatever form they are kept in; any other value is an object as
    :class:`carnelian.datatypes.base.value.Value` describes. Methods that look a key up delete it
    first when its time is up (see ``State.overdue``). Keys are looked up in O(1).
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
            raise WRONG_TYPE
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
        return type_of(entry) if entry is not cython.NULL else None

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

    def seen_size(self) -> int:
        """:meth:`size` without the keys that are not to be seen. O(1), or O(slots) if there may be
        such keys.
        """
        concealed: bytes | None = self.keyspace.concealed_slots
        if concealed is None or self.slots is None:
            return self.table.used
        slot: cython.int
        size: cython.Py_ssize_t = self.table.used
        for slot in range(HASH_SLOTS):
            if PyBytes_AS_STRING(concealed)[slot] != 0:
                size -= self.slots.count(slot)
        return size

    @property
    def expires_count(self) -> int:
        """Number of keys that expire."""
        return self.expiring.used

    @property
    def table_stats(self) -> dict:
        """Figures of the hash tables, for DEBUG HTSTATS and MEMORY STATS."""
        figures = {
            "keys": self.table.stats() | {"bytes": self.table.memory()},
            "expires": self.expiring.stats() | {"bytes": self.expiring.memory()},
        }
        if self.slots is not None:
            figures["slots"] = {"bytes": self.slots.memory()}
        return figures

    def sizes(self, bytes_too: bool = False) -> dict:
        """How many keys there are of each size: by type, lists with a count for each power of two.

        The size of a string is its length, that of a collection the number of its members; item i
        counts those below 2**i that are not below 2**(i-1). With ``bytes_too``, what collections
        take in memory stands under ``(type, "bytes")``. O(n) in the keys.
        """
        found: dict = {}
        for part in self.key_parts():
            for key in part:
                self.count_size(found, key, bytes_too)
        return found

    def count_size(self, found, key, bytes_too):
        """Count one key for :meth:`sizes`."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is cython.NULL:
            return 0
        kind: bytes = type_of(entry)
        if entry.kind != OBJECT:
            count_power(found, kind, text_length(entry))
            return 0
        value: object = cython.cast(object, reference_of(entry))
        size: cython.Py_ssize_t = value.size() if isinstance(value, Value) else -1
        if size >= 0:
            count_power(found, kind, size)
            if bytes_too:
                count_power(found, (kind, "bytes"), memory_of(entry))
        return 0

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
        """Bytes that the key, its value and its places in the tables take, or None.

        One whose time is over takes them until it is deleted.
        """
        entry: cython.pointer[Entry] = self.held(key)
        if entry is cython.NULL:
            return None
        return memory_of(entry) + (16 if expires(entry) else 8) + (4 if self.slots else 0)

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
            raise WRONG_TYPE
        return read_value(entry)

    def collection_to_change(self, key: bytes, cls: type):
        """The value under a key, which has to be of that class, or None; raises WrongType."""
        return of_class(self.value_to_change(key), cls)

    def keep(self, key: bytes):
        """Let a snapshot that goes on have the value of a key as it is: to be called before the
        value changes, where it was not looked up by a method that says so.
        """
        entry: cython.pointer[Entry] = self.held(key)
        if entry is not cython.NULL:
            keep_entry(self.table, entry)

    def touch(self, key: bytes) -> cython.bint:
        """Renew the access clock and count, as TOUCH does; returns whether the key is there."""
        return self.read(key, True) is not cython.NULL

    def prefetch(self, commands, count):
        """Have the memory fetched that the first keys of up to AHEAD commands are about to need.

        It is waited for once, not key by key. A first argument that is no key does no harm, as long
        as it is short. Small databases are likely to be in the processor's cache anyway.
        """
        hashes = cython.declare(uint64_t[AHEAD])
        words: list
        key: bytes
        found: cython.int = 0
        i: cython.int
        if self.table.used < CACHED_KEYS:
            return
        for i in range(count):
            words = cython.cast(list, commands[i].words)
            if PyList_GET_SIZE(words) < 2:
                continue
            key = cython.cast(bytes, get_item(words, 1))
            if PyBytes_GET_SIZE(key) <= FETCHED_LENGTH:
                hashes[found] = hash_of(key)
                self.table.prefetch(hashes[found])
                found += 1
        for i in range(found):
            self.table.prefetch_entry(hashes[i])

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

    def evict(self, key: bytes, lazy: cython.bint = False) -> cython.bint:
        """Delete a key to make room, be its time over or not; returns whether it was there."""
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.table.find(
            hash, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        if slot is cython.NULL:
            return False
        self.erase(hash, slot, lazy)
        self.keyspace.stats.evicted += 1
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
        to.attach(new_hash, fresh)
        if key in self.timed_hashes:
            del self.timed_hashes[key]
            to.timed_hashes[new_key] = None
        if key in self.newer_forms:
            del self.newer_forms[key]
            to.note_newer_form(new_key)
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
        if key in self.timed_hashes:
            to.timed_hashes[new_key] = None
        if key in self.newer_forms:
            to.note_newer_form(new_key)
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

    def changed(self, key: bytes, kind: cython.int, event: bytes, count: cython.Py_ssize_t = 1):
        """Report that a key was changed: handlers call this once per key that they changed.

        ``kind`` is one of ``keyspace.events``, ``event`` the name as notifications carry it, and
        ``count`` how many changes it comes to; 0 where another key's report has counted it.
        """
        self.keyspace.dirty += count
        if self.keyspace.lrm:
            self.set_access(key, self.keyspace.new_access())
        if self.keyspace.observer is not None:
            self.keyspace.observer(self, key, kind, event)

    def shrank(
        self,
        key: bytes,
        left: cython.Py_ssize_t,
        kind: cython.int,
        event: bytes,
        count: cython.Py_ssize_t = 1,
    ):
        """Report that ``count`` members of a collection went; with the last one goes the key.

        Returns whether it has gone: that is so when none is ``left``.
        """
        if left:
            self.changed(key, kind, event, count)
            return False
        self.delete(key)
        self.changed(key, kind, event, count)
        self.keyspace.notify(self, GENERIC, b"del", key)
        return True

    def drop_if_empty(self, key: bytes, left: cython.Py_ssize_t):
        """Let a collection go that has none ``left``, of which the change has been reported."""
        if left:
            return False
        self.delete(key)
        self.keyspace.notify(self, GENERIC, b"del", key)
        return True

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
            if self.concealed(entry):
                draws -= 1
                if draws == 0:
                    return None
                continue
            if not self.hidden(entry):
                return read_key(entry)
            key = read_key(entry)
            if self.keyspace.overdue == HIDE:
                draws -= 1
                if draws == 0 and self.expiring.used == self.table.used:
                    return key
            self.has(key)

    def scan(
        self,
        cursor: uint64_t,
        count: cython.Py_ssize_t = 10,
        type_name: bytes | None = None,
        pattern: bytes | None = None,
    ):
        """``(next cursor, keys)``: what is left of about ``count`` keys, only those of a type and
        that match a pattern if these are given. Others past their time stay.

        Begin with cursor 0 and go on until it is 0 again: a key that is there all the while is
        returned at least once, whatever else is added, deleted or resized in between. Where keys
        are listed by hash slot, and only those of one slot can match, no others are looked at.
        """
        overdue: list = []
        slot: cython.int = self.slot_to_search(pattern)
        if slot >= 0:
            cursor, keys = self.scan_slot_part(slot, cursor, count, type_name, overdue)
        else:
            cursor, keys = self.scan_part(cursor, count, type_name, overdue)
        if pattern is not None:
            overdue = [key for key in overdue if matches(pattern, key)]
            keys = [key for key in keys if matches(pattern, key)]
        for key in overdue:
            self.has(key)
        return cursor, keys

    def scan_part(self, cursor, count, type_name, overdue):
        """:meth:`scan`; the keys past their time that it meets are for the caller to deal with."""
        found = cython.declare(Found)
        visits: cython.Py_ssize_t = count * SCAN_PATIENCE
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while True:
                cursor = self.table.scan(cursor, cython.address(found))
                visits -= 1
                if cursor == 0 or visits <= 0 or found.count >= count:
                    break
            return cursor, self.shown(cython.address(found), type_name, overdue)
        finally:
            forget(cython.address(found))

    def keys(self) -> Iterator[bytes]:
        """Every key, once if the database does not change meanwhile.

        Those past their time are left out, but not deleted.
        """
        for part in self.key_parts():
            yield from part

    def key_parts(self, pattern: bytes | None = None) -> Iterator[list[bytes]]:
        """:meth:`keys` in lists of some hundred.

        Where keys are listed by hash slot, and only those of one slot can match the pattern, the
        others are left out; of those that are given, not all need to match.
        """
        cursor: uint64_t = 0
        slot: cython.int = self.slot_to_search(pattern)
        while True:
            if slot >= 0:
                cursor, part = self.scan_slot_part(slot, cursor, CHUNK, None, None)
            else:
                cursor, part = self.scan_part(cursor, CHUNK, None, None)
            yield part
            if cursor == 0:
                return

    def flush(self, lazy: bool = False) -> int:
        """Delete everything, later and in steps if ``lazy``; returns how many keys there were."""
        table: Table = self.table
        expiring: Table = self.expiring
        slots: SlotIndex = self.slots
        removed: cython.Py_ssize_t = table.used
        self.renew()
        if lazy:
            if slots is not None:
                self.keyspace.trash.add_index(slots)
            self.keyspace.trash.add_table(expiring)
            self.keyspace.trash.add_table(table)
        else:
            table.drain(table.buckets())
        return removed

    def reserve(self, keys: cython.Py_ssize_t, expiring: cython.Py_ssize_t = 0) -> None:
        """Make room for so many keys at once, before a file is loaded; nothing if not empty."""
        self.table.reserve(keys)
        self.expiring.reserve(expiring)

    def rehash(self, buckets: cython.Py_ssize_t) -> cython.bint:
        """Go on with a resize, if there is one; returns whether there is more to do."""
        self.table.step(buckets)
        self.expiring.step(buckets)
        if self.table.short_of_versions():
            self.table.renew_versions(buckets)
            return True
        return self.table.rehashing() or self.expiring.rehashing()

    def limit_tables(self, limit: int64_t) -> None:
        """Grow no table, while it need not, to where all data takes more; 0 is no limit."""
        self.table.limit = limit
        self.expiring.limit = limit

    def hold_resizes(self, held: bool) -> None:
        """Start no resize that can wait."""
        self.table.steady = held
        self.expiring.steady = held

    def reap(self, wanted, most_buckets, now, reaped):
        """Look at about ``wanted`` keys that expire and delete those that should have, by now."""
        found = cython.declare(Found)
        i: cython.Py_ssize_t
        ttl: int64_t
        cursor: uint64_t = self.expire_cursor
        overdue: list = []
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while found.count < wanted and most_buckets > 0:
                cursor = self.expiring.scan(cursor, cython.address(found))
                most_buckets -= 1
            self.expire_cursor: uint64_t = cursor
            for i in range(found.count):
                ttl = expiry_of(found.items[i]) - now
                if ttl < 0:
                    if not self.concealed(found.items[i]):
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
def count_power(found: dict, name: object, size: cython.Py_ssize_t):
    """Count a size under the power of two that it has reached."""
    powers: list | None = found.get(name)
    power: cython.int = 0
    if powers is None:
        powers = [0] * 64
        found[name] = powers
    while size > 0:
        size >>= 1
        power += 1
    powers[power] += 1


@cython.cfunc
def of_class(value: object, cls: type):
    """``value`` if it is None or of that class; raises WrongType."""
    if value is not None and not isinstance(value, cls):
        raise WRONG_TYPE
    return value


@cython.cfunc
@cython.exceptval(-1)
def describe(value: object, content: cython.pointer[Content]) -> cython.int:
    """Any kind of value."""
    if type(value) is bytes:
        return describe_bytes(value, content)
    return describe_object(value, content)
