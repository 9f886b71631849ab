"""The entries of one database: finding, adding, replacing and erasing them, with the index of
those that expire. :class:`~carnelian.keyspace.database.Database` builds its methods on this.
"""

from __future__ import annotations

from collections import OrderedDict

import cython
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import slot_of
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.tables.entry import (
    BYTES,
    CLOCK_MASK,
    OBJECT,
    Entry,
    block_size,
    build,
    drop_reference,
    expires,
    expiry_of,
    fill,
    fits,
    free_block,
    key_length,
    key_of,
    read_key,
    reference_of,
    set_expiry_of,
    with_expiry,
    without_expiry,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.slot_index import SlotIndex
from cython.cimports.carnelian.datatypes.tables.table import (
    Table,
    entry_at,
    hash_text,
    keep,
    set_entry,
)
from cython.cimports.carnelian.keyspace.events import KEY_MISS, NEW, OVERWRITTEN, TYPE_CHANGED
from cython.cimports.carnelian.keyspace.state import DELETE, IGNORE, State
from cython.cimports.carnelian.keyspace.store import hash_of
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import int64_t, uint32_t, uint64_t

# Values with more blocks than this are freed later where that was asked for.
LAZY_EFFORT = cython.declare(cython.Py_ssize_t, 64)


@cython.cclass
class Store:
    """The entries of one database.

    ``expiring`` holds the same entries as ``table``, those with an expiry only, and does not own
    them. ``slots`` tells which keys are in which hash slot; None unless the key space wants that.
    Pointers to slots and entries are good until the next change of the database.
    ``timed_hashes`` are the keys of hashes with fields that expire, the next one to be looked at
    first; some may have gone since, or have no such fields any more. ``newer_forms`` are the
    keys of values that older RDB versions have no form for, in the same way.
    """

    def __init__(self, keyspace: State, index: cython.int):
        self.keyspace = keyspace
        self.index = index
        self.renew()

    def renew(self):
        """Go on with empty tables."""
        self.table = Table()
        self.expiring = Table(False)
        self.table.limit = self.expiring.limit = self.keyspace.table_limit
        self.slots = SlotIndex() if self.keyspace.by_slot else None
        self.avg_ttl = 0
        self.expire_cursor = 0
        self.timed_hashes: OrderedDict[bytes, None] = OrderedDict()
        self.newer_forms: dict[bytes, None] = {}
        self.newer_forms_limit = 64

    def exchange(self, other: Store) -> None:
        """Swap contents with another database."""
        self.table, other.table = other.table, self.table
        self.expiring, other.expiring = other.expiring, self.expiring
        self.slots, other.slots = other.slots, self.slots
        self.avg_ttl, other.avg_ttl = other.avg_ttl, self.avg_ttl
        self.expire_cursor, other.expire_cursor = other.expire_cursor, self.expire_cursor
        self.timed_hashes, other.timed_hashes = other.timed_hashes, self.timed_hashes
        self.newer_forms, other.newer_forms = other.newer_forms, self.newer_forms

    # -- Finding ---------------------------------------------------------------------------------

    def seek(self, key, hash):
        """The slot of a key that is there and not past its time, or NULL."""
        slot: cython.pointer[uint64_t] = self.table.find(
            hash, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        if slot is cython.NULL:
            return cython.NULL
        entry: cython.pointer[Entry] = entry_at(slot)
        if not expires(entry) or self.keyspace.clock.ms <= expiry_of(entry):
            return slot
        return cython.NULL if self.met_overdue(key, hash, slot) else slot

    def find(self, key):
        """The entry of a key, or NULL: neither counted nor touched."""
        slot: cython.pointer[uint64_t] = self.seek(key, hash_of(key))
        return entry_at(slot) if slot is not cython.NULL else cython.NULL

    def held(self, key):
        """The entry of a key, whether or not it is past its time, or NULL."""
        slot: cython.pointer[uint64_t] = self.table.find(
            hash_of(key), PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )
        return entry_at(slot) if slot is not cython.NULL else cython.NULL

    def read(self, key, touch):
        """The entry of a key for a command that reads it, or NULL; counted as hit or miss."""
        slot: cython.pointer[uint64_t] = self.seek(key, hash_of(key))
        if slot is cython.NULL:
            self.missed(key)
            return cython.NULL
        entry: cython.pointer[Entry] = entry_at(slot)
        self.keyspace.stats.hits += 1
        if touch:
            self.touch_entry(entry)
        return entry

    def write(self, key):
        """The entry of a key for a command that changes it, or NULL; touched but not counted."""
        entry: cython.pointer[Entry] = self.find(key)
        if entry is not cython.NULL:
            keep(self.table, entry)
            self.touch_entry(entry)
        return entry

    def missed(self, key):
        """Count a read of a key that is not there."""
        self.keyspace.stats.misses += 1
        if self.keyspace.notifier is not None:
            self.keyspace.notify(self, KEY_MISS, b"keymiss", key)
        return 0

    def touch_entry(self, entry):
        """Renew the access clock."""
        access: uint32_t
        if self.keyspace.touching:
            access = self.keyspace.next_access(entry.access)
            if entry.access & CLOCK_MASK != access:
                entry.access = (entry.access & ~cython.cast(uint32_t, CLOCK_MASK)) | access

    # -- Keys past their time --------------------------------------------------------------------

    def hidden(self, entry):
        """Whether a reader has to take this entry for missing."""
        return (
            expires(entry)
            and self.keyspace.clock.ms > expiry_of(entry)
            and self.keyspace.overdue != IGNORE
        )

    def concealed(self, entry):
        """Whether an entry is in a hash slot whose keys are not to be seen."""
        slots: bytes | None = self.keyspace.concealed_slots
        if slots is None:
            return False
        return PyBytes_AS_STRING(slots)[slot_of(key_of(entry), key_length(entry))] != 0

    def shown(self, found, type_name, overdue):
        """The keys of what was found, of one type only if that is given.

        Those that are hidden go into ``overdue``, if there is such a list.
        """
        keys: list = []
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        for i in range(found.count):
            entry = found.items[i]
            if type_name is not None and type_of(entry) != type_name:
                continue
            if self.concealed(entry):
                continue
            if not self.hidden(entry):
                keys.append(read_key(entry))
            elif overdue is not None:
                overdue.append(read_key(entry))
        return keys

    def met_overdue(self, key, hash, slot):
        """Do with a key past its time as the policy says; returns whether it counts as missing."""
        if self.keyspace.overdue == IGNORE:
            return False
        if self.keyspace.overdue == DELETE:
            self.expire(key, hash, slot)
        return True

    def expire(self, key, hash, slot):
        """Delete a key because its time is up, and tell."""
        self.erase(hash, slot, self.keyspace.lazy_expire)
        self.keyspace.stats.expired += 1
        if self.keyspace.on_expired is not None:
            self.keyspace.on_expired(self, key)
        return 0

    def index_expiry(self, hash, entry):
        """Add an entry that expires to the index."""
        return self.expiring.insert(hash, entry)

    def unindex_expiry(self, hash, entry):
        """Take an entry out of the index."""
        return self.expiring.remove(hash, self.expiring.find_entry(hash, entry))

    def set_entry_expiry(self, key, expiry):
        """Set or, below zero, remove the expiry of a key; returns whether the key is there."""
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        if slot is cython.NULL:
            return False
        entry: cython.pointer[Entry] = entry_at(slot)
        keep(self.table, entry)
        if expires(entry):
            if expiry >= 0:
                set_expiry_of(entry, expiry)
                return True
            self.unindex_expiry(hash, entry)
            self.table.put_in_place(slot, without_expiry(entry))
        elif expiry >= 0:
            entry = with_expiry(entry, expiry)
            self.table.put_in_place(slot, entry)
            self.index_expiry(hash, entry)
        return True

    # -- Changing --------------------------------------------------------------------------------

    def put(self, key, content, keep_ttl, expiry):
        """Set a key to a value, whether it is there or not; returns whether it was.

        The expiry becomes ``expiry`` (below zero: none) unless the old one is kept.
        """
        hash: uint64_t = hash_of(key)
        slot: cython.pointer[uint64_t] = self.seek(key, hash)
        if slot is cython.NULL:
            self.create(key, hash, content, expiry)
            self.added(key)
            return 0
        entry: cython.pointer[Entry] = entry_at(slot)
        if keep_ttl:
            expiry = expiry_of(entry) if expires(entry) else -1
        before: bytes | None = None if self.keyspace.notifier is None else type_of(entry)
        self.overwrite(hash, slot, content, expiry)
        if before is not None:
            self.replaced(key, before)
        return 1

    def former(self, key: bytes) -> bytes | None:
        """The type of what is to be replaced, for :meth:`replaced`; None if nobody will be told."""
        entry: cython.pointer[Entry]
        if self.keyspace.notifier is None:
            return None
        entry = self.find(key)
        return None if entry is cython.NULL else type_of(entry)

    def replaced(self, key: bytes, before: bytes | None):
        """Tell that a value took the place of one of the type ``before``, if there was one."""
        entry: cython.pointer[Entry]
        if before is None:
            return
        self.keyspace.notify(self, OVERWRITTEN, b"overwritten", key)
        entry = self.held(key)
        if entry is not cython.NULL and type_of(entry) != before:
            self.keyspace.notify(self, TYPE_CHANGED, b"type_changed", key)

    def create(self, key, hash, content, expiry):
        """Add an entry for a key that is not there; :meth:`added` is up to the caller."""
        entry: cython.pointer[Entry] = build(
            PyBytes_AS_STRING(key),
            PyBytes_GET_SIZE(key),
            self.keyspace.new_access(),
            expiry,
            content,
        )
        self.attach(hash, entry)
        return entry

    def load(self, key, length, content, expiry, access, replacing):
        """Add a key that comes from a file, which nobody is told; returns False if it is there.

        With ``replacing`` it takes the place of one that is.
        """
        hash: uint64_t = hash_text(key, length)
        slot: cython.pointer[uint64_t] = self.table.find(hash, key, length)
        entry: cython.pointer[Entry]
        if slot is not cython.NULL:
            if not replacing:
                drop_reference(content.kind, content.word)
                return False
            self.erase(hash, slot, False)
        entry = build(key, length, access, expiry, content)
        self.attach(hash, entry)
        if entry.kind == OBJECT:
            self.note_entry(entry)
        return True

    def note(self, key):
        """Remember what has to be known of the value of a key that did not come by a command."""
        entry: cython.pointer[Entry] = self.held(key)
        if entry is not cython.NULL and entry.kind == OBJECT:
            self.note_entry(entry)

    def note_entry(self, entry):
        """Remember a value with parts that expire, or one that only newer RDB versions can have."""
        value: object = cython.cast(object, reference_of(entry))
        if not isinstance(value, Value):
            return 0
        if cython.cast(Value, value).has_timed_parts():
            self.timed_hashes[read_key(entry)] = None
        elif cython.cast(Value, value).has_newer_form():
            self.note_newer_form(read_key(entry))
        return 0

    def note_newer_form(self, key):
        """Remember a value that older RDB versions have no form for."""
        if len(self.newer_forms) >= self.newer_forms_limit:
            self.values_of_newer_forms()
            self.newer_forms_limit = 2 * len(self.newer_forms) + 64
        self.newer_forms[key] = None
        return 0

    def newer_value(self, key):
        """The value of a key that is still one of those, None for any other key."""
        entry: cython.pointer[Entry] = self.held(key)
        if entry is cython.NULL or entry.kind != OBJECT:
            return None
        value: object = cython.cast(object, reference_of(entry))
        if isinstance(value, Value) and cython.cast(Value, value).has_newer_form():
            return value
        return None

    def values_of_newer_forms(self):
        """Values that older RDB versions have no form for; forgets what is none any more."""
        found: list = []
        for key in list(self.newer_forms):
            value = self.newer_value(key)
            if value is None:
                del self.newer_forms[key]
            else:
                found.append(value)
        return found

    def added(self, key):
        """Tell that a key came to be, once its value is whole."""
        if self.keyspace.on_added is not None:
            self.keyspace.on_added(self, key)
        if self.keyspace.notifier is not None:
            self.keyspace.notify(self, NEW, b"new", key)
        return 0

    def overwrite(self, hash, slot, content, expiry):
        """Replace the value of an entry, in its block if it fits; returns the entry."""
        entry: cython.pointer[Entry] = entry_at(slot)
        fresh: cython.pointer[Entry]
        kind: cython.int = entry.kind
        word: int64_t = word_of(entry) if kind >= BYTES else 0
        access: uint32_t = entry.access & CLOCK_MASK
        keep(self.table, entry)
        if not self.keyspace.lfu:
            access = self.keyspace.new_access()
        if expires(entry) == (expiry >= 0) and fits(
            entry, block_size(key_length(entry), expiry >= 0, content)
        ):
            if expiry >= 0:
                set_expiry_of(entry, expiry)
            entry.access = (entry.access & ~cython.cast(uint32_t, CLOCK_MASK)) | access
            fill(entry, content)
        else:
            fresh = build(key_of(entry), key_length(entry), access, expiry, content)
            self.replace_block(hash, slot, fresh)
            entry = fresh
        if kind >= BYTES:
            self.retire(kind, word, self.keyspace.lazy_server_del)
        return entry

    def replace_block(self, hash, slot, fresh):
        """Put another block in the place of an entry's, which is given back."""
        entry: cython.pointer[Entry] = entry_at(slot)
        self.table.put_in_place(slot, fresh)
        if expires(entry):
            if expires(fresh):
                set_entry(self.expiring.find_entry(hash, entry), fresh)
            else:
                self.unindex_expiry(hash, entry)
        elif expires(fresh):
            self.index_expiry(hash, fresh)
        free_block(entry)
        return 0

    def attach(self, hash, entry):
        """Put an entry whose key is not there into the table and the indexes."""
        if self.slots is None:
            self.table.insert(hash, entry)
        else:
            self.insert_by_slot(hash, entry)
        if expires(entry):
            self.index_expiry(hash, entry)
        return 0

    def insert_by_slot(self, hash, entry):
        """Put an entry into the table and the index of hash slots."""
        slots: SlotIndex = self.slots
        slot: cython.int = slot_of(key_of(entry), key_length(entry))
        slots.add(slot, hash)
        try:
            self.table.insert(hash, entry)
        except MemoryError:
            slots.discard(slot, hash)
            raise
        return 0

    def detach(self, hash, slot):
        """Take an entry out of the table and the indexes, keeping its block."""
        entry: cython.pointer[Entry] = entry_at(slot)
        if self.slots is not None:
            self.slots.discard(slot_of(key_of(entry), key_length(entry)), hash)
        if expires(entry):
            self.unindex_expiry(hash, entry)
        return self.table.remove(hash, slot)

    def erase(self, hash, slot, lazy):
        """Delete an entry; a big value is freed later if ``lazy``."""
        entry: cython.pointer[Entry] = entry_at(slot)
        kind: cython.int = entry.kind
        word: int64_t = word_of(entry) if kind >= BYTES else 0
        self.detach(hash, slot)
        free_block(entry)
        if kind >= BYTES:
            self.retire(kind, word, lazy)
        return 0

    def retire(self, kind, word, lazy):
        """Give up the reference of a value that was replaced or deleted."""
        if lazy and kind == OBJECT:
            value: object = cython.cast(object, cython.cast(cython.pointer[PyObject], word))
            if free_effort(value) > LAZY_EFFORT:
                self.keyspace.trash.add_value(value)
        return drop_reference(kind, word)


@cython.cfunc
def type_of(entry: cython.pointer[Entry]) -> bytes:
    """The name of the entry's type."""
    if entry.kind == OBJECT:
        return cython.cast(object, reference_of(entry)).type_name
    return b"string"


@cython.cfunc
@cython.exceptval(-1)
def free_effort(value: object) -> cython.Py_ssize_t:
    """About how many blocks there are to free with a value."""
    if isinstance(value, Value):
        return cython.cast(Value, value).free_effort()
    return value.free_effort() if hasattr(value, "free_effort") else 1
