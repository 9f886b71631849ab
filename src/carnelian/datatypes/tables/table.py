"""A hash table of entries: a database, its expiry index, big hashes and sorted sets.

A bucket is one cache line: seven slots and a link to an overflow bucket. The bucket of a key
follows from its hash alone, so that a cursor can walk the table while it is resized (the cursor
counts through the reversed bits of bucket numbers, as Redis's SCAN does), and so that a resize
goes on one bucket at a time, between other work.

A slot keeps 16 bits of the hash above the address. They are taken from the hash right where the
bucket number ends, or up to seven bits before, so that they tell the number of the bucket in a
table up to 256 times as large: seven resizes of eight move slots without reading any entry.

A table can be read as it was at one moment while it goes on changing: entries carry a version, and
before one of an older version changes, it is handed over (:meth:`Table.begin_version`).

Tables do not own Python references themselves: see :mod:`carnelian.datatypes.tables.entry`.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.base.memory import (
    allocate,
    allocate_zeroed,
    block_memory,
    discard_pages,
    map_zeroed,
    reallocate,
    release,
    unmap,
    used,
)
from cython.cimports.carnelian.datatypes.base.slabs import give, take
from cython.cimports.carnelian.datatypes.tables.entry import (
    VERSIONS,
    Entry,
    destroy,
    has_key,
    key_length,
    key_of,
)
from cython.cimports.carnelian.datatypes.tables.table import (
    SLOTS,
    Array,
    Bucket,
    Found,
    PyHash_FuncDef,
    PyHash_GetFuncDef,
    entry_at,
    keep,
    prefetch,
    set_entry,
    set_version,
)
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.string import memset

LINE = cython.declare(cython.Py_ssize_t, 64)
# Bytes of an entry that are fetched ahead.
FETCHED = cython.declare(cython.Py_ssize_t, 88)
# Entries per bucket above which the table doubles, and tenths of one below which it shrinks.
FULL = cython.declare(cython.Py_ssize_t, 6)
SPARSE = cython.declare(cython.Py_ssize_t, 6)
# A steady table doubles only when it is this many times too full.
OVERFULL = cython.declare(cython.Py_ssize_t, 5)
# Tenths of full at which a table grows although memory is short.
CROWDED = cython.declare(cython.Py_ssize_t, 16)
# Buckets of main that each change of a table moves while it is resized.
PACE = cython.declare(cython.Py_ssize_t, 2)
# Empty buckets passed over for each one moved.
PATIENCE = cython.declare(cython.Py_ssize_t, 10)
# From this size on an array is a mapping of its own, given back in pieces of the second size.
MAPPED = cython.declare(cython.Py_ssize_t, 256 * 1024)
PIECE = cython.declare(cython.size_t, 512 * 1024)
# Draws after which a sparse table is searched in order instead.
RANDOM_DRAWS = cython.declare(cython.int, 2000)

ADDRESS = cython.declare(uint64_t, (cython.cast(uint64_t, 1) << 48) - 1)

_hash_function = cython.declare(cython.pointer[cython.const[PyHash_FuncDef]], PyHash_GetFuncDef())


def hash_text(text, length):
    """The hash of a ``bytes`` of that content, without making it."""
    hash: cython.Py_hash_t
    if length == 0:
        return 0
    hash = _hash_function.hash(text, length)
    return cython.cast(uint64_t, -2 if hash == -1 else hash)


# -- Arrays of buckets ---------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def open_array(array: cython.pointer[Array], bits: cython.int) -> cython.int:
    """Allocate 2 ** bits empty buckets."""
    size: cython.size_t = cython.cast(cython.size_t, LINE) << bits
    start: cython.size_t
    memset(array, 0, cython.sizeof(Array))
    if size >= cython.cast(cython.size_t, MAPPED):
        array.start = map_zeroed(size)
        array.size = size
        start = cython.cast(cython.size_t, array.start)
    else:
        array.start = allocate_zeroed(size + LINE)
        start = (cython.cast(cython.size_t, array.start) + LINE - 1) & ~(LINE - 1)
    array.buckets = cython.cast(cython.pointer[Bucket], start)
    array.bits = bits
    array.mask = (cython.cast(uint64_t, 1) << bits) - 1
    array.shift = bits & ~7
    array.longest = 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def close_array(array: cython.pointer[Array]) -> cython.void:
    """Give the array back; its overflow buckets have to be gone."""
    if array.size:
        unmap(array.start, array.size)
    elif array.start is not cython.NULL:
        release(array.start)
    memset(array, 0, cython.sizeof(Array))


@cython.cfunc
@cython.exceptval(-1)
def put(array: cython.pointer[Array], index: uint64_t, slot: uint64_t) -> cython.int:
    """Write a slot at the end of a chain."""
    bucket: cython.pointer[Bucket] = cython.address(array.buckets[index])
    depth: cython.int = 1
    i: cython.int
    while True:
        if bucket.slots[SLOTS - 1] == 0:
            for i in range(SLOTS):
                if bucket.slots[i] == 0:
                    bucket.slots[i] = slot
                    return 0
        depth += 1
        if bucket.next is cython.NULL:
            break
        bucket = bucket.next
    bucket.next = cython.cast(cython.pointer[Bucket], take(LINE))
    bucket = bucket.next
    memset(bucket, 0, LINE)
    bucket.slots[0] = slot
    array.overflow_buckets += 1
    if depth > array.longest:
        array.longest = depth
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def free_overflow(array: cython.pointer[Array], index: uint64_t) -> cython.void:
    """Give back all but the first bucket of a chain, which nobody reads any more."""
    bucket: cython.pointer[Bucket] = array.buckets[index].next
    following: cython.pointer[Bucket]
    while bucket is not cython.NULL:
        following = bucket.next
        give(bucket, LINE)
        array.overflow_buckets -= 1
        bucket = following


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def tagged(array: cython.pointer[Array], hash: uint64_t, entry: cython.p_void) -> uint64_t:
    """The slot of an entry with that hash."""
    return ((hash >> array.shift) << 48) | cython.cast(uint64_t, entry)


@cython.cfunc
@cython.exceptval(-1)
def collect(found: cython.pointer[Found], bucket: cython.pointer[Bucket]) -> cython.int:
    """Add all entries of a chain."""
    i: cython.int
    while bucket is not cython.NULL:
        for i in range(SLOTS):
            if bucket.slots[i] == 0:
                return 0
            append(found, entry_at(cython.address(bucket.slots[i])))
        bucket = bucket.next
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def append(found: cython.pointer[Found], entry: cython.pointer[Entry]) -> cython.int:
    """Add an entry."""
    if found.count == found.room:
        widen(found)
    found.items[found.count] = entry
    found.count += 1
    return 0


@cython.cfunc
@cython.exceptval(-1)
def widen(found: cython.pointer[Found]) -> cython.int:
    """Make room for more entries."""
    room: cython.Py_ssize_t = found.room * 2 if found.room else 32
    items: cython.p_void
    if found.items is cython.NULL:
        items = allocate(room * 8)
    else:
        items = reallocate(found.items, room * 8)
    found.items = cython.cast(cython.pointer[cython.pointer[Entry]], items)
    found.room = room
    return 0


def forget(found):
    """Give back what :class:`Found` collected into."""
    if found.items is not cython.NULL:
        release(found.items)
    found.items = cython.NULL
    found.count = 0
    found.room = 0


# -- Cursors -------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def reversed_bits(bits: uint64_t) -> uint64_t:
    """The bits in reverse order."""
    width: cython.int = 32
    mask: uint64_t = ~cython.cast(uint64_t, 0)
    while width:
        mask ^= mask << width
        bits = ((bits >> width) & mask) | ((bits << width) & ~mask)
        width >>= 1
    return bits


def next_cursor(cursor, mask):
    """Count up from the highest bit of a bucket number down; zero after the last one."""
    return reversed_bits(reversed_bits(cursor | ~mask) + 1)


# -- The table -----------------------------------------------------------------------------------


@cython.cclass
class Keeper:
    """Takes what is about to change as it is."""

    def keep(self, table, entry):
        """Take an entry of an older version, and give it the version of the table."""
        raise NotImplementedError

    def keep_bucket(self, bucket):
        """Take the members of a bucket of an older version."""
        raise NotImplementedError

    def keep_block(self, number, data, size, stream, plain):
        """Take the block of that number: ``size`` bytes, compressed to ``stream`` unless that is 0;
        one element of a list (``plain``), or a listpack.
        """
        raise NotImplementedError


@cython.final
@cython.no_gc
@cython.cclass
class Table:
    """A hash table of entries, resized a few buckets at a time.

    Every entry is in one place at any time: a resize moves whole buckets, and what a bucket of the
    old array holds is there until it is moved. An owning table destroys its entries when it goes.
    """

    main: Array
    target: Array

    def __cinit__(self, owner: bool = True):
        memset(cython.address(self.main), 0, cython.sizeof(Array))
        memset(cython.address(self.target), 0, cython.sizeof(Array))
        self.used = 0
        self.position = -1
        self.drained = 0
        self.owner = owner
        self.steady = False
        self.limit = 0
        self.version = 0
        self.unfinished = 0
        self.renewed_to = 0

    def __dealloc__(self):
        if self.used:
            self.drain(self.buckets())
        close_array(cython.address(self.main))
        close_array(cython.address(self.target))

    def __len__(self) -> int:
        return self.used

    def buckets(self):
        """Buckets in use, of both arrays while it is resized."""
        if self.main.buckets is cython.NULL:
            return 0
        total: cython.Py_ssize_t = self.main.mask + 1
        if self.position >= 0:
            total += self.target.mask + 1
        return total

    def rehashing(self):
        """Whether entries are on their way to an array of another size."""
        return self.position >= 0

    def memory(self) -> cython.Py_ssize_t:
        """Bytes of the arrays, not counting the entries."""
        return array_memory(cython.address(self.main)) + array_memory(cython.address(self.target))

    def home(self, hash):
        """The array that holds, or would hold, an entry of that hash."""
        if self.position < 0:
            return cython.address(self.main)
        if cython.cast(cython.Py_ssize_t, hash & self.main.mask) < self.position:
            return cython.address(self.target)
        return cython.address(self.main)

    def find(self, hash, key, length):
        """The slot of that key, or NULL. Good until the table changes."""
        array: cython.pointer[Array]
        bucket: cython.pointer[Bucket]
        tag: uint64_t
        slot: uint64_t
        i: cython.int
        if self.used == 0:
            return cython.NULL
        array = self.home(hash)
        tag = (hash >> array.shift) & 0xFFFF
        bucket = cython.address(array.buckets[hash & array.mask])
        while bucket is not cython.NULL:
            for i in range(SLOTS):
                slot = bucket.slots[i]
                if slot >> 48 == tag:
                    if slot == 0:
                        return cython.NULL
                    if has_key(entry_at(cython.address(slot)), key, length):
                        return cython.address(bucket.slots[i])
                elif slot == 0:
                    return cython.NULL
            bucket = bucket.next
        return cython.NULL

    def prefetch(self, hash):
        """Have the bucket of a hash fetched that is looked up soon."""
        if self.used == 0:
            return
        array: cython.pointer[Array] = self.home(hash)
        prefetch(cython.address(array.buckets[hash & array.mask]))

    def prefetch_entry(self, hash):
        """Once the bucket is there, have the entry fetched that is probably meant."""
        tag: uint64_t
        i: cython.int
        bucket: cython.pointer[Bucket]
        if self.used == 0:
            return
        array: cython.pointer[Array] = self.home(hash)
        tag = (hash >> array.shift) & 0xFFFF
        bucket = cython.address(array.buckets[hash & array.mask])
        for i in range(SLOTS):
            if bucket.slots[i] >> 48 == tag:
                # An entry of average size may begin late in its first line, and end in a third.
                prefetch(cython.cast(cython.p_char, bucket.slots[i] & ADDRESS))
                prefetch(cython.cast(cython.p_char, bucket.slots[i] & ADDRESS) + LINE)
                prefetch(cython.cast(cython.p_char, bucket.slots[i] & ADDRESS) + FETCHED)
                return

    def find_entry(self, hash, entry):
        """The slot of that very entry, or NULL; the entry itself is not read."""
        if self.used == 0:
            return cython.NULL
        array: cython.pointer[Array] = self.home(hash)
        bucket: cython.pointer[Bucket] = cython.address(array.buckets[hash & array.mask])
        i: cython.int
        while bucket is not cython.NULL:
            for i in range(SLOTS):
                if bucket.slots[i] & ADDRESS == cython.cast(uint64_t, entry):
                    return cython.address(bucket.slots[i])
            bucket = bucket.next
        return cython.NULL

    def collect_alike(self, low, found):
        """Collect the entries whose hashes end with these 32 bits."""
        array: cython.pointer[Array]
        bucket: cython.pointer[Bucket]
        entry: cython.pointer[Entry]
        tail: uint64_t = low
        known: uint64_t
        i: cython.int
        if self.used == 0:
            return 0
        array = self.home(tail)
        # Of a slot's sixteen bits, those that the hash ends with: none in a very large table.
        known = (cython.cast(uint64_t, 0xFFFFFFFF) >> array.shift) & 0xFFFF
        bucket = cython.address(array.buckets[tail & array.mask])
        while bucket is not cython.NULL:
            for i in range(SLOTS):
                if bucket.slots[i] == 0:
                    return 0
                if ((bucket.slots[i] >> 48) ^ (tail >> array.shift)) & known == 0:
                    entry = entry_at(cython.address(bucket.slots[i]))
                    if cython.cast(uint32_t, hash_text(key_of(entry), key_length(entry))) == low:
                        append(found, entry)
            bucket = bucket.next
        return 0

    def insert(self, hash, entry):
        """Add an entry whose key is not in the table; slots found before are no longer good."""
        if self.main.buckets is cython.NULL:
            open_array(cython.address(self.main), 0)
        elif self.position >= 0:
            self.step(PACE)
        elif self.used >= FULL << self.main.bits and self.may_grow():
            self.resize(self.main.bits + 1)
        array: cython.pointer[Array] = self.home(hash)
        put(array, hash & array.mask, tagged(array, hash, entry))
        if self.owner:
            set_version(entry, self.version)
        self.used += 1
        return 0

    def remove(self, hash, slot):
        """Take the entry of ``slot`` out, without destroying it."""
        if self.keeper is not None:
            keep(self, entry_at(slot))
        array: cython.pointer[Array] = self.home(hash)
        last: cython.pointer[Bucket] = cython.address(array.buckets[hash & array.mask])
        before: cython.pointer[Bucket] = cython.NULL
        i: cython.int = SLOTS - 1
        while last.next is not cython.NULL:
            before = last
            last = last.next
        while last.slots[i] == 0:
            i -= 1
        slot[0] = last.slots[i]
        last.slots[i] = 0
        if i == 0 and before is not cython.NULL:
            before.next = cython.NULL
            give(last, LINE)
            array.overflow_buckets -= 1
        self.used -= 1
        if self.position >= 0:
            self.step(PACE)
        elif self.used * 10 < SPARSE << self.main.bits and self.main.bits > 1 and not self.steady:
            self.resize(fitting_bits(self.used))
        return 0

    def put_in_place(self, slot, entry):
        """Let another entry of the same key stand in a slot, whose own was kept."""
        set_version(entry, self.version)
        set_entry(slot, entry)
        return 0

    # -- Versions --------------------------------------------------------------------------------

    def begin_version(self, keeper):
        """Begin a version: what is in the table now is of an older one.

        ``keeper`` is handed each entry of an older version before it is changed or removed, by
        ``keep``. Whoever wants all of them walks the table by :meth:`scan` besides.
        """
        if self.unfinished >= VERSIONS - 2:
            self.renew_versions(self.buckets())
        self.renewed_to = 0
        self.version = (self.version + 1) % VERSIONS
        self.unfinished += 1
        self.keeper = keeper
        return 0

    def end_version(self, complete):
        """Hand nothing over any more; ``complete`` says that no entry of an older version is left.

        What is left of older versions else does no harm, until their numbers come again.
        """
        self.keeper = None
        if complete:
            self.unfinished = 0
        return 0

    def short_of_versions(self):
        """Whether so many versions came to no end that their numbers are about to come again."""
        return self.unfinished > VERSIONS // 4 and self.keeper is None

    def renew_versions(self, buckets):
        """Have entries be of the current version that are of an older one, in so many buckets."""
        found = cython.declare(Found)
        i: cython.Py_ssize_t
        memset(cython.address(found), 0, cython.sizeof(Found))
        try:
            while buckets > 0 and self.unfinished:
                found.count = 0
                self.renewed_to = self.scan(self.renewed_to, cython.address(found))
                for i in range(found.count):
                    set_version(found.items[i], self.version)
                if self.renewed_to == 0:
                    self.unfinished = 0
                buckets -= 1
        finally:
            forget(cython.address(found))
        return 0

    # -- Resizing --------------------------------------------------------------------------------

    def reserve(self, entries):
        """Make an empty table large enough for that many entries at once."""
        bits: cython.int = fitting_bits(entries)
        if self.used or bits <= self.main.bits:
            return 0
        close_array(cython.address(self.main))
        return open_array(cython.address(self.main), bits)

    def may_grow(self):
        """Whether a full table may become larger now."""
        size: cython.Py_ssize_t = LINE << (self.main.bits + 1)
        if self.steady:
            return self.used >= FULL * OVERFULL << self.main.bits
        if self.limit and used() + size > self.limit:
            return self.used >= FULL * CROWDED // 10 << self.main.bits
        return True

    def resize(self, bits):
        """Begin to move to an array of another size."""
        open_array(cython.address(self.target), bits)
        self.position = 0
        return 0

    def step(self, buckets):
        """Move up to ``buckets`` buckets to the new array, if the table is being resized."""
        cells: cython.Py_ssize_t
        visits: cython.Py_ssize_t = buckets * PATIENCE
        if self.position < 0:
            return 0
        cells = self.main.mask + 1
        while self.position < cells and buckets > 0 and visits > 0:
            if self.main.buckets[self.position].slots[0] == 0:
                visits -= 1
            else:
                self.move(self.position)
                buckets -= 1
            self.position += 1
        if self.position >= cells:
            self.finish()
        elif self.main.size:
            discard_moved(cython.address(self.main), self.position)
        return 0

    def move(self, index):
        """Distribute the chain of one bucket over the new array."""
        main: cython.pointer[Array] = cython.address(self.main)
        target: cython.pointer[Array] = cython.address(self.target)
        bucket: cython.pointer[Bucket] = cython.address(main.buckets[index])
        entry: cython.pointer[Entry]
        hash: uint64_t
        slot: uint64_t
        i: cython.int
        while bucket is not cython.NULL:
            for i in range(SLOTS):
                slot = bucket.slots[i]
                if slot == 0:
                    break
                entry = entry_at(cython.address(slot))
                if target.shift <= main.shift:
                    hash = ((slot >> 48) << main.shift) | index
                else:
                    hash = hash_text(key_of(entry), key_length(entry))
                put(target, hash & target.mask, tagged(target, hash, entry))
            bucket = bucket.next
        free_overflow(main, index)
        return 0

    def finish(self):
        """The new array takes the place of the old one."""
        close_array(cython.address(self.main))
        self.main = self.target
        memset(cython.address(self.target), 0, cython.sizeof(Array))
        self.position = -1
        return 0

    # -- Walking ---------------------------------------------------------------------------------

    def random(self):
        """An entry, each with the same chance; NULL if there is none.

        Draws a place in a random chain as deep as the longest, until it is taken: O(1) expected.
        """
        total: cython.Py_ssize_t
        deepest: cython.int
        place: uint64_t
        bucket: cython.pointer[Bucket]
        _draw: cython.int
        if self.used == 0:
            return cython.NULL
        total = self.buckets()
        deepest = self.main.longest
        if self.position >= 0 and self.target.longest > deepest:
            deepest = self.target.longest
        for _draw in range(RANDOM_DRAWS):
            bucket = self.bucket_at(random_below(total))
            place = random_below(SLOTS * deepest)
            while place >= SLOTS and bucket is not cython.NULL:
                place -= SLOTS
                bucket = bucket.next
            if bucket is not cython.NULL and bucket.slots[place]:
                return entry_at(cython.address(bucket.slots[place]))
        return self.next_entry(random_below(total))

    def next_entry(self, number):
        """One of the entries of the first bucket in use from that number on."""
        bucket: cython.pointer[Bucket] = self.bucket_at(self.first_used(number))
        held: cython.int = 0
        while held < SLOTS and bucket.slots[held]:
            held += 1
        return entry_at(cython.address(bucket.slots[random_below(held)]))

    def bucket_at(self, number):
        """Buckets of both arrays by one number; those already moved count as empty."""
        if number > self.main.mask:
            return cython.address(self.target.buckets[number - self.main.mask - 1])
        if cython.cast(cython.Py_ssize_t, number) < self.position:
            return cython.address(_empty)
        return cython.address(self.main.buckets[number])

    def some(self, wanted, found):
        """About ``wanted`` neighbouring entries from a random place: quick, not independent."""
        total: cython.Py_ssize_t = self.buckets()
        visits: cython.Py_ssize_t = min(wanted * PATIENCE, total)
        number: uint64_t
        if self.used == 0:
            return 0
        number = random_below(total)
        while found.count < wanted and visits > 0:
            collect(found, self.bucket_at(number))
            number = (number + 1) % total
            visits -= 1
        if found.count == 0:
            collect(found, self.bucket_at(self.first_used(number)))
        return 0

    def every(self, found):
        """Collect all entries."""
        number: uint64_t
        for number in range(cython.cast(uint64_t, self.buckets())):
            collect(found, self.bucket_at(number))
        return 0

    def first_used(self, number):
        """The first bucket in use from that number on."""
        total: cython.Py_ssize_t = self.buckets()
        while self.bucket_at(number).slots[0] == 0:
            number = (number + 1) % total
        return number

    def scan(self, cursor, found):
        """Collect the entries that a cursor stands for; the next cursor, zero at the end.

        An entry that is in the table from the first call to the last is collected at least once,
        whatever is added, removed or resized between calls.
        """
        small: cython.pointer[Array] = cython.address(self.main)
        large: cython.pointer[Array] = cython.address(self.target)
        if self.used == 0:
            return 0
        if self.position < 0:
            collect(found, cython.address(small.buckets[cursor & small.mask]))
            return next_cursor(cursor, small.mask)
        if small.mask > large.mask:
            small, large = large, small
        # All buckets that the smaller array's one is split over, or that are joined into it.
        self.collect_at(small, cursor, found)
        while True:
            self.collect_at(large, cursor, found)
            cursor = next_cursor(cursor, large.mask)
            if cursor & (small.mask ^ large.mask) == 0:
                return cursor

    def collect_at(self, array, cursor, found):
        """Collect one bucket unless it was moved."""
        index: uint64_t = cursor & array.mask
        moved: cython.bint = cython.cast(cython.Py_ssize_t, index) < self.position
        if moved and array == cython.address(self.main):
            return 0
        return collect(found, cython.address(array.buckets[index]))

    # -- Emptying --------------------------------------------------------------------------------

    def drain(self, buckets):
        """Take up to ``buckets`` buckets of a table apart that nobody uses any more.

        Destroys the entries if the table owns them. Returns whether there is nothing left to do: a
        table of which a version is being read is left to the reader, who holds it.
        """
        if self.keeper is not None:
            return True
        main: cython.pointer[Array] = cython.address(self.main)
        target: cython.pointer[Array] = cython.address(self.target)
        total: cython.Py_ssize_t = self.buckets()
        while self.drained < total and buckets > 0:
            if cython.cast(uint64_t, self.drained) > main.mask:
                self.drain_bucket(target, self.drained - main.mask - 1)
            elif self.drained >= self.position:
                self.drain_bucket(main, self.drained)
            self.drained += 1
            buckets -= 1
            if main.size and cython.cast(uint64_t, self.drained) <= main.mask:
                discard_moved(main, self.drained)
        return self.drained >= total

    def drain_bucket(self, array, index):
        """Empty one chain."""
        bucket: cython.pointer[Bucket] = cython.address(array.buckets[index])
        i: cython.int
        while bucket is not cython.NULL:
            for i in range(SLOTS):
                if bucket.slots[i] == 0:
                    break
                self.used -= 1
                if self.owner:
                    destroy(entry_at(cython.address(bucket.slots[i])))
            bucket = bucket.next
        free_overflow(array, index)
        return 0

    def stats(self) -> dict:
        """Figures of both arrays, for debugging."""
        return {
            "entries": self.used,
            "buckets": self.main.mask + 1 if self.main.buckets else 0,
            "overflow_buckets": self.main.overflow_buckets,
            "longest_chain": self.main.longest,
            "rehashing_to": self.target.mask + 1 if self.position >= 0 else 0,
            "moved": max(self.position, 0),
        }


_empty = cython.declare(Bucket)
memset(cython.address(_empty), 0, cython.sizeof(Bucket))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def fitting_bits(entries: cython.Py_ssize_t) -> cython.int:
    """Log2 of the buckets for that many entries, half full."""
    bits: cython.int = 0
    while entries > (FULL // 2) << bits:
        bits += 1
    return bits


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def discard_moved(array: cython.pointer[Array], position: cython.size_t) -> cython.void:
    """Return the pages of the buckets before ``position``, a piece at a time."""
    done: cython.size_t = position * LINE
    if done - array.discarded >= PIECE:
        done &= ~(PIECE - 1)
        discard_pages(
            cython.cast(cython.p_char, array.start) + array.discarded, done - array.discarded
        )
        array.discarded = done


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def array_memory(array: cython.pointer[Array]) -> cython.Py_ssize_t:
    """Bytes of an array with its overflow buckets."""
    if array.buckets is cython.NULL:
        return 0
    own: cython.Py_ssize_t = array.size if array.size else block_memory(array.start)
    return own + array.overflow_buckets * LINE
