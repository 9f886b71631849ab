"""The hash: fields with values. A listpack while it is small, then a table of entries.

Fields may expire, each on its own. A listpack then holds a third element for each field, the unix
time in ms or 0 for none, with the fields in the order in which they expire and those that do not
at the end; an entry of a table has its own expiry. Nobody walks a hash backwards: its listpack is
in the slim form.
"""

from __future__ import annotations

import random as _random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.sink import Gathered, Sink
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.collections.hash import FIELDS, VALUES
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.slim import full_bytes
from cython.cimports.carnelian.datatypes.tables.entry import (
    BYTES,
    INLINE,
    Content,
    Entry,
    block_size,
    build,
    describe_text,
    drop_reference,
    expires,
    expiry_of,
    fill,
    fits,
    free_block,
    key_length,
    key_of,
    memory_of,
    read_key,
    read_value,
    set_expiry_of,
    text_length,
    value_of,
    with_expiry,
    without_expiry,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.entry import destroy as destroy_entry
from cython.cimports.carnelian.datatypes.tables.table import Found, Table, entry_at, forget, keep
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memset

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest

# What of the fields is wanted, for Python callers.
ONLY_FIELDS: int = FIELDS
ONLY_VALUES: int = VALUES
BOTH: int = FIELDS | VALUES

# Bytes of the Python objects.
SHELL = cython.declare(cython.Py_ssize_t, 48)
TIMES_SHELL = cython.declare(cython.Py_ssize_t, 64)
BUCKETS_PER_STEP = cython.declare(cython.Py_ssize_t, 64)
NEVER = cython.declare(int64_t, 0x7FFFFFFFFFFFFFFF)


@cython.final
@cython.no_gc
@cython.cclass
class Times:
    """What a hash knows about the expiry of its fields as a whole."""

    def __cinit__(self):
        self.soonest = NEVER
        self.lowest = NEVER
        self.now = 0
        self.cursor = 0
        count_memory(TIMES_SHELL)

    def __dealloc__(self):
        count_memory(-TIMES_SHELL)


@cython.final
@cython.no_gc
@cython.cclass
class Hash(Value):
    """Byte strings under fields that are byte strings.

    :meth:`set` takes the thresholds that decide the form (``hash-max-listpack-entries``,
    ``hash-max-listpack-value``); a hash never goes back to a smaller one.

    A hash does not know the time: :meth:`look` sets it, and fields past theirs are not seen from
    then on, but stay until :meth:`expire` is called.
    """

    type_name = b"hash"

    def __cinit__(self):
        self.pack = listpack.create_slim()
        count_memory(SHELL)

    def __dealloc__(self):
        if self.pack is not cython.NULL:
            listpack.destroy(self.pack)
        count_memory(-SHELL)

    # -- As a value ------------------------------------------------------------------------------

    def encoding(self):
        """``listpack``, ``listpackex`` (with times) or ``hashtable``."""
        if self.pack is cython.NULL:
            return b"hashtable"
        return b"listpack" if self.times is None else b"listpackex"

    def memory(self):
        """Bytes held. O(fields) for a table."""
        found = cython.declare(Found)
        i: cython.Py_ssize_t
        total: cython.Py_ssize_t = SHELL
        if self.times is not None:
            total += TIMES_SHELL
        if self.pack is not cython.NULL:
            return total + listpack.memory_of(self.pack)
        total += self.table.memory()
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            self.table.every(cython.address(found))
            for i in range(found.count):
                total += memory_of(found.items[i])
        finally:
            forget(cython.address(found))
        return total

    def free_effort(self):
        """The number of fields of a table."""
        return self.table.used if self.table is not None else 1

    def free_some(self) -> cython.bint:
        """Free some fields of a hash that nobody uses any more; returns whether more are left."""
        return self.table is not None and not self.table.drain(BUCKETS_PER_STEP)

    def copy(self):
        """Another hash of the same fields, values and times."""
        twin: Hash = Hash()
        found = cython.declare(Found)
        i: cython.Py_ssize_t
        if self.times is not None:
            twin.times = Times()
            twin.times.soonest = self.times.soonest
        listpack.destroy(twin.pack)
        twin.pack = cython.NULL
        if self.pack is not cython.NULL:
            twin.pack = listpack.duplicate(self.pack)
            return twin
        twin.table = Table()
        twin.table.reserve(self.table.used)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            self.table.every(cython.address(found))
            for i in range(found.count):
                twin.add_to_table(
                    read_key(found.items[i]), read_value(found.items[i]), time_of(found.items[i])
                )
        finally:
            forget(cython.address(found))
        return twin

    def digest(self, digest: Digest) -> None:
        """Take all fields in, in any order (DEBUG DIGEST)."""
        every: list = self.collect(FIELDS | VALUES)
        i: cython.Py_ssize_t
        for i in range(0, len(every), 2):
            pair = type(digest)()
            pair.chain(every[i])
            pair.chain(every[i + 1])
            digest.blend(pair.value())

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.collect(FIELDS))

    def __contains__(self, field: bytes) -> bool:
        return self.contains(field)

    def items(self) -> list[tuple[bytes, bytes]]:
        """Fields with their values."""
        flat = iter(self.collect(FIELDS | VALUES))
        return list(zip(flat, flat, strict=True))

    @property
    def listpack(self) -> bytes | None:
        """The bytes of the listpack in its full form, None if the hash is no listpack."""
        return None if self.pack is cython.NULL else full_bytes(self.pack)

    @property
    def soonest(self) -> int | None:
        """No field expires before that unix time in ms; None if none expires at all."""
        if self.times is None or self.times.soonest == NEVER:
            return None
        return self.times.soonest

    def has_timed_parts(self):
        """Whether fields expire."""
        return self.times is not None and self.times.soonest != NEVER

    def size(self) -> cython.Py_ssize_t:
        """The number of fields, those past their time included. O(1)."""
        if self.pack is not cython.NULL:
            return listpack.count_of(self.pack) // (2 if self.times is None else 3)
        return self.table.used

    # -- Finding ---------------------------------------------------------------------------------

    def look(self, now: int64_t):
        """Do not see fields that expire before ``now`` (unix time in ms; 0 to see all)."""
        if self.times is not None:
            self.times.now = now

    def hides_some(self) -> cython.bint:
        """Whether there may be fields that are not to be seen."""
        return self.times is not None and self.times.soonest < self.times.now

    def is_late(self, ms: int64_t) -> cython.bint:
        """Whether a field of that time (0 or below: none) is not to be seen."""
        return 0 < ms < self.times.now

    def time_at(self, at: cython.Py_ssize_t) -> int64_t:
        """The time of the field at ``at`` of a listpack with times."""
        item = cython.declare(listpack.Item)
        at = listpack.after(self.pack, listpack.after(self.pack, at))
        if not listpack.read(self.pack, at, cython.address(item)) or item.text is not cython.NULL:
            return 0
        return item.number

    def locate(self, field: bytes) -> cython.Py_ssize_t:
        """The offset of a field in the listpack, seen or not; 0 if it is not there."""
        return listpack.find(
            self.pack,
            listpack.first(self.pack),
            PyBytes_AS_STRING(field),
            PyBytes_GET_SIZE(field),
            1 if self.times is None else 2,
        )

    def slot_of(self, field: bytes) -> cython.pointer[uint64_t]:
        """The slot of a field in the table, seen or not; NULL if it is not there."""
        return self.table.find(
            cython.cast(uint64_t, hash(field)), PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field)
        )

    def is_seen(self, entry: cython.pointer[cython.const[Entry]]) -> cython.bint:
        """Whether a field of the table is not past its time."""
        return not expires(entry) or self.times is None or expiry_of(entry) >= self.times.now

    def get(self, field: bytes) -> bytes | None:
        """The value of a field, None if it is not there. O(1), O(n) in a listpack."""
        at: cython.Py_ssize_t
        slot: cython.pointer[uint64_t]
        if self.pack is not cython.NULL:
            at = self.locate(field)
            if at == 0 or (self.times is not None and self.is_late(self.time_at(at))):
                return None
            return listpack.bytes_at(self.pack, listpack.after(self.pack, at))
        slot = self.slot_of(field)
        if slot is cython.NULL or not self.is_seen(entry_at(slot)):
            return None
        return read_value(entry_at(slot))

    def contains(self, field: bytes) -> cython.bint:
        """Whether a field is there."""
        at: cython.Py_ssize_t
        slot: cython.pointer[uint64_t]
        if self.pack is not cython.NULL:
            at = self.locate(field)
            return at != 0 and (self.times is None or not self.is_late(self.time_at(at)))
        slot = self.slot_of(field)
        return slot is not cython.NULL and self.is_seen(entry_at(slot))

    def length_of(self, field: bytes) -> cython.Py_ssize_t:
        """Bytes of the value of a field, 0 if it is not there."""
        slot: cython.pointer[uint64_t]
        if self.pack is not cython.NULL:
            value: bytes | None = self.get(field)
            return 0 if value is None else PyBytes_GET_SIZE(value)
        slot = self.slot_of(field)
        if slot is cython.NULL or not self.is_seen(entry_at(slot)):
            return 0
        return text_length(entry_at(slot))

    # -- Changing --------------------------------------------------------------------------------

    def set(
        self, limits: Limits, field: bytes, value: bytes, keep_time: cython.bint = False
    ) -> cython.bint:
        """Set a field; returns whether it was not there. It lives on unless its time is kept."""
        if self.pack is not cython.NULL:
            if self.fits_pack(limits, field, value):
                return self.set_in_pack(limits, field, value, keep_time)
            self.to_table()
        return self.set_in_table(field, value, keep_time)

    def fits_pack(self, limits: Limits, field: bytes, value: bytes) -> cython.bint:
        """Whether such a field may stand in the listpack."""
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(field)
        value_length: cython.Py_ssize_t = PyBytes_GET_SIZE(value)
        return (
            length <= limits.hash_max_listpack_value
            and value_length <= limits.hash_max_listpack_value
            and listpack.safe_to_add(self.pack, length + value_length)
        )

    def set_in_pack(
        self, limits: Limits, field: bytes, value: bytes, keep_time: cython.bint
    ) -> cython.bint:
        """Set a field of the listpack, which may have to become a table then."""
        at: cython.Py_ssize_t = self.locate(field)
        added: cython.bint = at == 0
        if at:
            listpack.replace(
                cython.address(self.pack),
                listpack.after(self.pack, at),
                PyBytes_AS_STRING(value),
                PyBytes_GET_SIZE(value),
            )
            if self.times is not None and self.time_at(at):
                added = self.is_late(self.time_at(at))
                if added or not keep_time:
                    self.set_time_in_pack(at, 0)
        else:
            self.add_to_pack(field, value, 0)
        if self.size() > limits.hash_max_listpack_entries:
            self.to_table()
        return added

    def add_to_pack(self, field: bytes, value: bytes, ms: int64_t) -> cython.int:
        """Add a field that is not there, at its place by time."""
        at: cython.Py_ssize_t = 0
        stands: int64_t
        if ms > 0:
            at = listpack.first(self.pack)
        while at:
            stands = self.time_at(at)
            if stands == 0 or stands > ms:
                break
            at = listpack.after(self.pack, listpack.after(self.pack, listpack.after(self.pack, at)))
        if at == 0:
            at = listpack.end_of(self.pack)
        listpack.insert(
            cython.address(self.pack), at, PyBytes_AS_STRING(field), PyBytes_GET_SIZE(field)
        )
        at += listpack.size_at(self.pack, at)
        listpack.insert(
            cython.address(self.pack), at, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
        )
        if self.times is not None:
            at += listpack.size_at(self.pack, at)
            listpack.insert_integer(cython.address(self.pack), at, ms)
        return 0

    def set_in_table(self, field: bytes, value: bytes, keep_time: cython.bint) -> cython.bint:
        """Set a field of the table."""
        content = cython.declare(Content)
        slot: cython.pointer[uint64_t] = self.slot_of(field)
        ms: int64_t
        seen: cython.bint
        if slot is cython.NULL:
            self.add_to_table(field, value, 0)
            return True
        seen = self.is_seen(entry_at(slot))
        ms = time_of(entry_at(slot)) if keep_time and seen else 0
        describe_text(value, cython.address(content))
        self.overwrite(slot, cython.address(content), ms)
        return not seen

    def add_to_table(self, field: bytes, value: bytes, ms: int64_t) -> cython.int:
        """Add a field that is not there."""
        content = cython.declare(Content)
        entry: cython.pointer[Entry]
        describe_text(value, cython.address(content))
        entry = build(
            PyBytes_AS_STRING(field),
            PyBytes_GET_SIZE(field),
            0,
            ms if ms > 0 else -1,
            cython.address(content),
        )
        try:
            self.table.insert(cython.cast(uint64_t, hash(field)), entry)
        except MemoryError:
            destroy_entry(entry)
            raise
        return 0

    def overwrite(
        self,
        slot: cython.pointer[uint64_t],
        content: cython.pointer[cython.const[Content]],
        ms: int64_t,
    ) -> cython.int:
        """Give the entry of a slot another value and time, in its block if they fit."""
        entry: cython.pointer[Entry] = entry_at(slot)
        fresh: cython.pointer[Entry]
        kind: cython.int = entry.kind
        word: int64_t = word_of(entry) if kind >= BYTES else 0
        keep(self.table, entry)
        if expires(entry) == (ms > 0) and fits(
            entry, block_size(key_length(entry), ms > 0, content)
        ):
            if ms > 0:
                set_expiry_of(entry, ms)
            fill(entry, content)
        else:
            fresh = build(key_of(entry), key_length(entry), 0, ms if ms > 0 else -1, content)
            self.table.put_in_place(slot, fresh)
            free_block(entry)
        return drop_reference(kind, word)

    def remove(self, field: bytes) -> cython.bint:
        """Remove a field; returns whether it was there."""
        at: cython.Py_ssize_t
        seen: cython.bint
        slot: cython.pointer[uint64_t]
        entry: cython.pointer[Entry]
        if self.pack is not cython.NULL:
            at = self.locate(field)
            if at == 0:
                return False
            seen = self.times is None or not self.is_late(self.time_at(at))
            listpack.remove_several(cython.address(self.pack), at, 2 if self.times is None else 3)
            return seen
        slot = self.slot_of(field)
        if slot is cython.NULL:
            return False
        entry = entry_at(slot)
        seen = self.is_seen(entry)
        self.table.remove(cython.cast(uint64_t, hash(field)), slot)
        destroy_entry(entry)
        return seen

    # -- All of them -----------------------------------------------------------------------------

    def collect(self, wanted: cython.int) -> list:
        """Fields (FIELDS), values (VALUES) or both in turn: as added in a listpack, else in no
        order. O(n).
        """
        every: Gathered = Gathered()
        self.pour(wanted, every)
        return every.items

    def pour(self, wanted: cython.int, sink: Sink) -> cython.int:
        """As :meth:`collect`, into a sink."""
        found = cython.declare(Found)
        if self.pack is not cython.NULL:
            return self.pour_pack(wanted, sink)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            self.table.every(cython.address(found))
            return self.pour_found(cython.address(found), wanted, sink)
        finally:
            forget(cython.address(found))

    def pour_pack(self, wanted: cython.int, sink: Sink) -> cython.int:
        """:meth:`pour` from a listpack."""
        hiding: cython.bint = self.hides_some()
        at: cython.Py_ssize_t = listpack.first(self.pack)
        value_at: cython.Py_ssize_t
        if self.times is None and wanted == FIELDS | VALUES:
            listpack.pour(self.pack, at, listpack.total_of(self.pack), sink)
            return 0
        while at:
            value_at = listpack.after(self.pack, at)
            if not hiding or not self.is_late(self.time_at(at)):
                if wanted & FIELDS:
                    listpack.pour(self.pack, at, 1, sink)
                if wanted & VALUES:
                    listpack.pour(self.pack, value_at, 1, sink)
            at = listpack.after(self.pack, value_at)
            if self.times is not None:
                at = listpack.after(self.pack, at)
        return 0

    def pour_found(
        self, found: cython.pointer[Found], wanted: cython.int, sink: Sink
    ) -> cython.int:
        """What is wanted of the entries that were collected."""
        entry: cython.pointer[Entry]
        i: cython.Py_ssize_t
        for i in range(found.count):
            entry = found.items[i]
            if not self.is_seen(entry):
                continue
            if wanted & FIELDS:
                sink.text(key_of(entry), key_length(entry))
            if wanted & VALUES:
                pour_value(entry, sink)
        return 0

    # -- Some of them ----------------------------------------------------------------------------

    def random(self, wanted: cython.int) -> list:
        """One field, each as likely as the others, as :meth:`collect` lists it; the hash must not
        be empty. The list is empty if no field is to be seen.
        """
        at: cython.Py_ssize_t
        entry: cython.pointer[Entry]
        one: list = []
        if self.hides_some():
            return self.sample(1, wanted)
        if self.pack is not cython.NULL:
            at = listpack.random_at(self.pack, 2 if self.times is None else 3)
            if wanted & FIELDS:
                one.append(listpack.bytes_at(self.pack, at))
            if wanted & VALUES:
                one.append(listpack.bytes_at(self.pack, listpack.after(self.pack, at)))
            return one
        entry = self.table.random()
        if wanted & FIELDS:
            one.append(read_key(entry))
        if wanted & VALUES:
            one.append(read_value(entry))
        return one

    def sample(self, count: cython.Py_ssize_t, wanted: cython.int) -> list:
        """So many different fields, in no order, as :meth:`collect` lists them; all of them if
        there are no more.

        O(count) where that is much less than the size, else O(size).
        """
        size: cython.Py_ssize_t = self.size()
        step: cython.Py_ssize_t = 2 if wanted == FIELDS | VALUES else 1
        i: cython.Py_ssize_t
        if count >= size:
            return self.collect(wanted)
        if self.table is None or count * 3 > size or self.hides_some():
            every: list = self.collect(wanted)
            if count * step >= len(every):
                return every
            some: list = []
            for i in _random.sample(range(len(every) // step), count):
                some.extend(every[i * step : (i + 1) * step])
            return some
        chosen: dict = {}
        while len(chosen) < count:
            field, value = self.random(FIELDS | VALUES)
            chosen[field] = value
        if wanted == FIELDS | VALUES:
            return [text for pair in chosen.items() for text in pair]
        return list(chosen) if wanted == FIELDS else list(chosen.values())

    def scan(self, cursor: uint64_t, count: cython.Py_ssize_t, wanted: cython.int):
        """Some fields, as :meth:`collect` lists them, and the cursor to go on from, 0 at the end:
        as ``Database.scan``.

        A listpack is returned as a whole.
        """
        found = cython.declare(Found)
        visits: cython.Py_ssize_t = count * 10
        some: Gathered = Gathered()
        if self.table is None:
            return 0, self.collect(wanted)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while True:
                cursor = self.table.scan(cursor, cython.address(found))
                visits -= 1
                if cursor == 0 or found.count >= count or visits <= 0:
                    break
            self.pour_found(cython.address(found), wanted, some)
            return cursor, some.items
        finally:
            forget(cython.address(found))

    # -- Time ------------------------------------------------------------------------------------

    def expiry(self, field: bytes) -> int64_t:
        """When a field expires, in ms since 1970; -1 if it does not, -2 if it is not there."""
        at: cython.Py_ssize_t
        slot: cython.pointer[uint64_t]
        ms: int64_t = 0
        if self.pack is not cython.NULL:
            at = self.locate(field)
            if at == 0:
                return -2
            if self.times is not None:
                ms = self.time_at(at)
        else:
            slot = self.slot_of(field)
            if slot is cython.NULL:
                return -2
            ms = time_of(entry_at(slot))
        if ms == 0:
            return -1
        return -2 if self.is_late(ms) else ms

    def set_expiry(self, field: bytes, ms: int64_t) -> cython.bint:
        """Let a field expire at that time (ms since 1970), or never if it is 0; returns whether
        the field is there.
        """
        at: cython.Py_ssize_t
        slot: cython.pointer[uint64_t]
        if self.times is None:
            if ms <= 0:
                return self.contains(field)
            self.prepare_times()
        if self.pack is not cython.NULL:
            at = self.locate(field)
            if at == 0 or self.is_late(self.time_at(at)):
                return False
            self.set_time_in_pack(at, ms)
        else:
            slot = self.slot_of(field)
            if slot is cython.NULL or not self.is_seen(entry_at(slot)):
                return False
            keep(self.table, entry_at(slot))
            if expires(entry_at(slot)) and ms > 0:
                set_expiry_of(entry_at(slot), ms)
            elif ms > 0:
                self.table.put_in_place(slot, with_expiry(entry_at(slot), ms))
            elif expires(entry_at(slot)):
                self.table.put_in_place(slot, without_expiry(entry_at(slot)))
        if ms > 0:
            self.times.soonest = min(self.times.soonest, ms)
            self.times.lowest = min(self.times.lowest, ms)
        return True

    def set_time_in_pack(self, at: cython.Py_ssize_t, ms: int64_t) -> cython.int:
        """Give the field at ``at`` another time, and the place that belongs to it."""
        field: bytes = listpack.bytes_at(self.pack, at)
        value: bytes = listpack.bytes_at(self.pack, listpack.after(self.pack, at))
        listpack.remove_several(cython.address(self.pack), at, 3)
        return self.add_to_pack(field, value, ms)

    def prepare_times(self) -> cython.int:
        """Be ready for fields that expire."""
        flat: list
        i: cython.Py_ssize_t
        if self.pack is not cython.NULL:
            flat = self.collect(FIELDS | VALUES)
            self.times = Times()
            listpack.destroy(self.pack)
            self.pack = listpack.create_slim()
            for i in range(0, len(flat), 2):
                self.add_to_pack(flat[i], flat[i + 1], 0)
        else:
            self.times = Times()
        return 0

    def expire(self, now: int64_t, buckets: cython.Py_ssize_t) -> list:
        """Remove fields that expire before ``now`` and return them.

        All of them from a listpack. In a table so many buckets are looked at, on from where the
        last call ended; ``soonest`` is exact again when all have been.
        """
        if self.times is None or self.times.soonest >= now:
            return []
        if self.pack is not cython.NULL:
            return self.expire_in_pack(now)
        return self.expire_in_table(now, buckets)

    def expire_in_pack(self, now: int64_t) -> list:
        """:meth:`expire` for a listpack."""
        late: list = []
        at: cython.Py_ssize_t = listpack.first(self.pack)
        ms: int64_t
        self.times.soonest = NEVER
        while at:
            ms = self.time_at(at)
            if ms == 0:
                break
            if ms >= now:
                self.times.soonest = ms
                break
            late.append(listpack.bytes_at(self.pack, at))
            at = listpack.remove_several(cython.address(self.pack), at, 3)
        return late

    def expire_in_table(self, now: int64_t, buckets: cython.Py_ssize_t) -> list:
        """:meth:`expire` for a table."""
        found = cython.declare(Found)
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while buckets > 0:
                self.times.cursor = self.table.scan(self.times.cursor, cython.address(found))
                buckets -= 1
                if self.times.cursor == 0:
                    break
            late = self.take_late(cython.address(found), now)
        finally:
            forget(cython.address(found))
        for field in late:
            self.remove(field)
        if self.times.cursor == 0:
            self.times.soonest = self.times.lowest
            self.times.lowest = NEVER
        return late

    def take_late(self, found: cython.pointer[Found], now: int64_t) -> list:
        """The fields of collected entries that expire before ``now``, each once."""
        late: dict = {}
        ms: int64_t
        i: cython.Py_ssize_t
        for i in range(found.count):
            ms = time_of(found.items[i])
            if 0 < ms < now:
                late[read_key(found.items[i])] = None
            elif ms > 0:
                self.times.lowest = min(self.times.lowest, ms)
        return list(late)

    # -- The form --------------------------------------------------------------------------------

    def to_table(self) -> cython.int:
        """Turn the listpack into a table."""
        at: cython.Py_ssize_t = listpack.first(self.pack)
        ms: int64_t = 0
        self.table = Table()
        self.table.reserve(self.size() + 1)
        while at:
            if self.times is not None:
                ms = self.time_at(at)
            field: bytes = listpack.bytes_at(self.pack, at)
            at = listpack.after(self.pack, at)
            self.add_to_table(field, listpack.bytes_at(self.pack, at), ms)
            at = listpack.after(self.pack, at)
            if self.times is not None:
                at = listpack.after(self.pack, at)
        listpack.destroy(self.pack)
        self.pack = cython.NULL
        return 0


@cython.cfunc
@cython.exceptval(-1)
def pour_value(entry: cython.pointer[Entry], sink: Sink) -> cython.int:
    """The value of an entry, into a sink."""
    if entry.kind == INLINE:
        return sink.text(value_of(entry), entry.length)
    text: bytes = read_value(entry)
    return sink.text(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def time_of(entry: cython.pointer[Entry]) -> int64_t:
    """When an entry expires, 0 if it does not."""
    return expiry_of(entry) if expires(entry) else 0
