"""A hash table of texts alone: the members of a big set.

A bucket is one block of memory with some eight members in it
(:mod:`carnelian.datatypes.tables.member_blocks`).

The table grows and shrinks by one bucket at a time (linear hashing): the first buckets are split
into two each, in their order, until all are, and then it begins anew with twice as many. So nothing
is ever moved as a whole, and members take the same room in a table of any size. The bits of the
hash in a mark begin right where the number of the bucket ends, or up to three bits before: they say
to which half a member goes, and three splits of four read no text.

A table can be read as it was at one moment, as :class:`carnelian.datatypes.tables.table.Table`, but
what has a version here are blocks: a bucket is handed over as a whole before it changes.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.slabs import (
    LARGEST_CELL,
    cell_memory,
    cell_size,
    give,
    take,
)
from cython.cimports.carnelian.datatypes.tables.member_blocks import (
    MOST,
    POINTER,
    SEGMENT,
    SEGMENT_BITS,
    WIDEST,
    LongText,
    block_of,
    bucket_of,
    chain_blocks,
    copy_without,
    count_of,
    is_long,
    long_text,
    mark_for,
    marks_of,
    place_in,
    room_of,
    set_room,
    set_version,
    shift_of,
    size_of,
    split_block,
    text_in,
    version_of,
    widen_tags,
    width_of,
    widths,
)
from cython.cimports.carnelian.datatypes.tables.table import Keeper, next_cursor
from cython.cimports.libc.stdint import uint8_t, uint16_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove, memset

# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 128)
# Members per bucket above which there is one bucket more, and below which there is one less.
FULL = cython.declare(cython.Py_ssize_t, 8)
SPARSE = cython.declare(cython.Py_ssize_t, 5)
VERSIONS = cython.declare(uint32_t, 256)
# Draws after which a sparse table is searched in order instead.
RANDOM_DRAWS = cython.declare(cython.int, 2000)
# Buckets that one step of freeing takes apart.
BUCKETS_PER_STEP = cython.declare(cython.Py_ssize_t, 64)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def weight_of(cell: cython.p_void, size: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Bytes that memory taken for that size counts for."""
    return cell_size(size) if size <= LARGEST_CELL else cell_memory(cell, size)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_roomy(room: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.bint:
    """Whether a block of which that much is left in use is to move to a smaller cell."""
    wanted: cython.Py_ssize_t = cell_size(size)
    return wanted != room if room > LARGEST_CELL else wanted * 4 < room * 3


@cython.final
@cython.no_gc
@cython.cclass
class Members:
    """Distinct texts. Those who look one up hash it as ``table.hash_text`` does."""

    def __cinit__(self):
        self.segments = cython.NULL
        self.segment_room = 0
        self.room = 0
        self.buckets = 1
        self.low_mask = 0
        self.split = 0
        self.bits = 0
        self.used = 0
        self.longest = 1
        self.drained = 0
        self.version = 0
        self.unfinished = 0
        self.keeper: Keeper | None = None
        count_memory(SHELL)
        self.held = SHELL
        self.make_room(1)

    def __dealloc__(self):
        i: cython.Py_ssize_t
        self.drain(self.buckets)
        if self.segments is not cython.NULL:
            if self.room:
                give(self.segments[0], min(self.room, SEGMENT) * 8)
            for i in range(1, self.room // SEGMENT):
                give(self.segments[i], SEGMENT * 8)
            give(self.segments, self.segment_room * 8)
        count_memory(-SHELL)

    def __len__(self) -> int:
        return self.used

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held."""
        return self.held

    def take(self, size: cython.Py_ssize_t) -> cython.p_void:
        """Memory that counts as held; raises MemoryError."""
        cell: cython.p_void = take(size)
        self.held += weight_of(cell, size)
        return cell

    def give(self, cell: cython.p_void, size: cython.Py_ssize_t) -> cython.void:
        """Give such memory back."""
        self.held -= weight_of(cell, size)
        give(cell, size)

    # -- Finding the bucket ----------------------------------------------------------------------

    def number_of(self, hash: uint64_t) -> cython.Py_ssize_t:
        """The number of the bucket of that hash."""
        number: cython.Py_ssize_t = hash & self.low_mask
        if number < self.split:
            return hash & (self.low_mask << 1 | 1)
        return number

    def depth_of(self, number: cython.Py_ssize_t) -> cython.int:
        """How many bits of the hash tell a bucket from the others."""
        if number < self.split or cython.cast(uint64_t, number) > self.low_mask:
            return self.bits + 1
        return self.bits

    def bucket_at(self, number: cython.Py_ssize_t) -> cython.pointer[uint64_t]:
        """A bucket by its number."""
        return cython.address(self.segments[number >> SEGMENT_BITS][number & (SEGMENT - 1)])

    # -- Members ---------------------------------------------------------------------------------

    def contains(
        self, hash: uint64_t, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether a text is there. O(1)."""
        number: cython.Py_ssize_t = self.number_of(hash)
        mark: uint16_t = mark_for(hash, self.depth_of(number), length)
        return place_in(self.bucket_at(number)[0], mark, text, length) >= 0

    def add(
        self, hash: uint64_t, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Add a text; returns whether it was not there."""
        number: cython.Py_ssize_t = self.number_of(hash)
        mark: uint16_t = mark_for(hash, self.depth_of(number), length)
        bucket: cython.pointer[uint64_t] = self.bucket_at(number)
        if place_in(bucket[0], mark, text, length) >= 0:
            return False
        if self.used >= FULL * self.buckets:
            self.grow()
            number = self.number_of(hash)
            mark = mark_for(hash, self.depth_of(number), length)
            bucket = self.bucket_at(number)
        if self.keeper is not None:
            self.keep(bucket)
        self.append(bucket, mark, text, length)
        self.used += 1
        return True

    def append(
        self,
        bucket: cython.pointer[uint64_t],
        mark: uint16_t,
        text: cython.p_const_char,
        length: cython.Py_ssize_t,
    ) -> cython.int:
        """Add a text that is not there to a bucket."""
        long: cython.pointer[LongText]
        if length <= WIDEST:
            return self.append_short(bucket, mark, text, length)
        long = cython.cast(cython.pointer[LongText], self.take(cython.sizeof(LongText) + length))
        long.length = length
        memcpy(long + 1, text, length)
        try:
            return self.append_short(
                bucket, mark, cython.cast(cython.p_char, cython.address(long)), POINTER
            )
        except MemoryError:
            self.give(long, cython.sizeof(LongText) + length)
            raise

    def append_short(
        self,
        bucket: cython.pointer[uint64_t],
        mark: uint16_t,
        text: cython.p_const_char,
        width: cython.Py_ssize_t,
    ) -> cython.int:
        """Add what stands in the block itself, a text or a pointer."""
        block: cython.pointer[uint8_t] = block_of(bucket[0])
        count: cython.Py_ssize_t = count_of(bucket[0])
        texts: cython.Py_ssize_t = widths(marks_of(block), count)
        old: cython.Py_ssize_t = size_of(count, texts)
        fresh: cython.pointer[uint8_t] = block
        if count == MOST:
            raise MemoryError
        wanted: cython.Py_ssize_t = cell_size(old + 2 + width)
        if count == 0:
            fresh = self.take_block(old + 2 + width, self.version)
        elif room_of(block, old) < wanted:
            fresh = self.take_block(old + 2 + width, version_of(block))
        memmove(fresh + size_of(count + 1, 0), block + size_of(count, 0), texts)
        memcpy(fresh + old + 2, text, width)
        if count and fresh != block:
            memcpy(marks_of(fresh), marks_of(block), 2 * count)
            self.give_block(block, old)
        marks_of(fresh)[count] = mark
        bucket[0] = bucket_of(fresh, count + 1)
        if count >= self.longest:
            self.longest = count + 1
        return 0

    def remove(
        self, hash: uint64_t, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Remove a text; returns whether it was there."""
        number: cython.Py_ssize_t = self.number_of(hash)
        mark: uint16_t = mark_for(hash, self.depth_of(number), length)
        bucket: cython.pointer[uint64_t] = self.bucket_at(number)
        index: cython.Py_ssize_t = place_in(bucket[0], mark, text, length)
        if index < 0:
            return False
        self.take_out(bucket, index)
        return True

    def take_out(self, bucket: cython.pointer[uint64_t], index: cython.Py_ssize_t) -> cython.int:
        """Remove a member of a bucket; the table may become smaller."""
        if self.keeper is not None:
            self.keep(bucket)
        block: cython.pointer[uint8_t] = block_of(bucket[0])
        count: cython.Py_ssize_t = count_of(bucket[0])
        marks: cython.pointer[uint16_t] = marks_of(block)
        mark: uint16_t = marks[index]
        before: cython.Py_ssize_t = widths(marks, index)
        behind: cython.Py_ssize_t = widths(marks + index + 1, count - index - 1)
        size: cython.Py_ssize_t = size_of(count - 1, before + behind)
        old: cython.Py_ssize_t = size + 2 + width_of(mark)
        fresh: cython.pointer[uint8_t] = block
        if count > 1 and is_roomy(room_of(block, old), size):
            fresh = self.take_block(size, version_of(block))
        if is_long(mark):
            self.free_long(long_text(block + size_of(count, before)))
        if count == 1:
            bucket[0] = 0
        else:
            copy_without(fresh, block, count, index, before, behind)
            bucket[0] = bucket_of(fresh, count - 1)
        if count == 1 or fresh != block:
            self.give_block(block, old)
        self.used -= 1
        if self.used < SPARSE * self.buckets and self.buckets > 1:
            try:
                self.shrink()
            except MemoryError:
                # The member is gone all the same.
                return 0
        return 0

    def free_long(self, long: cython.pointer[LongText]) -> cython.void:
        """Give a long text back."""
        self.give(long, cython.sizeof(LongText) + long.length)

    # -- Any of them -----------------------------------------------------------------------------

    def draw(self, index: cython.p_Py_ssize_t) -> cython.pointer[uint64_t]:
        """The bucket and the index in it of any member, each with the same chance.

        Draws a place in a bucket as full as the fullest, until it is taken: O(1) expected.
        """
        place: uint64_t
        bucket: cython.pointer[uint64_t]
        number: cython.Py_ssize_t
        _draw: cython.int
        for _draw in range(RANDOM_DRAWS):
            place = random_below(self.buckets * self.longest)
            bucket = self.bucket_at(place // self.longest)
            index[0] = place % self.longest
            if index[0] < count_of(bucket[0]):
                return bucket
        number = random_below(self.buckets)
        while self.bucket_at(number)[0] == 0:
            number = (number + 1) % self.buckets
        bucket = self.bucket_at(number)
        index[0] = random_below(count_of(bucket[0]))
        return bucket

    def random(self) -> bytes:
        """Any text, each as likely as the others; there has to be one."""
        index: cython.Py_ssize_t = 0
        bucket: cython.pointer[uint64_t] = self.draw(cython.address(index))
        return text_in(bucket[0], index)

    def pop(self) -> bytes:
        """Remove any text and return it; there has to be one."""
        index: cython.Py_ssize_t = 0
        bucket: cython.pointer[uint64_t] = self.draw(cython.address(index))
        text: bytes = text_in(bucket[0], index)
        self.take_out(bucket, index)
        return text

    def scan(self, cursor: uint64_t, bucket: cython.pointer[cython.pointer[uint64_t]]) -> uint64_t:
        """The bucket that a cursor stands for; returns the next cursor, zero at the end.

        A member that is there from the first call to the last is met at least once, whatever is
        added, removed or moved between calls.
        """
        number: cython.Py_ssize_t = self.number_of(cursor)
        bucket[0] = self.bucket_at(number)
        return next_cursor(cursor, (cython.cast(uint64_t, 1) << self.depth_of(number)) - 1)

    # -- Versions --------------------------------------------------------------------------------

    def begin_version(self, keeper: Keeper) -> cython.int:
        """Begin a version: what is there now is of an older one.

        ``keeper`` is handed each bucket of an older version before it is changed, by
        ``keep_bucket``. Whoever wants all of them walks by :meth:`scan` besides, and calls
        :meth:`keep` for each.
        """
        i: cython.Py_ssize_t
        if self.unfinished >= VERSIONS - 2:
            for i in range(self.buckets):
                if self.bucket_at(i)[0]:
                    set_version(block_of(self.bucket_at(i)[0]), self.version)
            self.unfinished = 0
        self.version = (self.version + 1) % VERSIONS
        self.unfinished += 1
        self.keeper = keeper
        return 0

    def end_version(self, complete: cython.bint) -> cython.int:
        """Hand nothing over any more; ``complete`` says that no block of an older version is left.

        What is left of older versions else does no harm, until their numbers come again.
        """
        self.keeper = None
        if complete:
            self.unfinished = 0
        return 0

    def keep(self, bucket: cython.pointer[uint64_t]) -> cython.int:
        """Hand a bucket over if it is of an older version."""
        if bucket[0] and version_of(block_of(bucket[0])) != self.version:
            set_version(block_of(bucket[0]), self.version)
            if self.keeper is not None:
                self.keeper.keep_bucket(bucket[0])
        return 0

    # -- Growing and shrinking -------------------------------------------------------------------

    def reserve(self, members: cython.Py_ssize_t) -> cython.int:
        """Make an empty table large enough for that many members at once."""
        buckets: cython.Py_ssize_t = (members + FULL - 1) // FULL
        if self.used or buckets <= self.buckets:
            return 0
        self.make_room(buckets)
        self.bits = 0
        while (cython.cast(cython.Py_ssize_t, 2) << self.bits) <= buckets:
            self.bits += 1
        self.low_mask = (cython.cast(uint64_t, 1) << self.bits) - 1
        self.buckets = buckets
        self.split = buckets - (cython.cast(cython.Py_ssize_t, 1) << self.bits)
        return 0

    def grow(self) -> cython.int:
        """Split the next bucket."""
        self.make_room(self.buckets + 1)
        self.distribute(self.bucket_at(self.split), self.bucket_at(self.buckets))
        self.split += 1
        self.buckets += 1
        if cython.cast(uint64_t, self.split) > self.low_mask:
            self.split = 0
            self.bits += 1
            self.low_mask = self.low_mask << 1 | 1
        return 0

    def distribute(
        self, low: cython.pointer[uint64_t], high: cython.pointer[uint64_t]
    ) -> cython.int:
        """Move the members of one bucket with the next bit of the hash set to another, empty one.

        Raises MemoryError, with nothing changed.
        """
        block: cython.pointer[uint8_t] = block_of(low[0])
        count: cython.Py_ssize_t = count_of(low[0])
        marks: cython.pointer[uint16_t] = marks_of(block)
        bit: uint16_t = cython.cast(uint16_t, 1) << (self.bits - shift_of(self.bits))
        rises: cython.bint = shift_of(self.bits + 1) != shift_of(self.bits)
        moved: cython.Py_ssize_t = 0
        moved_texts: cython.Py_ssize_t = 0
        texts: cython.Py_ssize_t = widths(marks, count)
        i: cython.Py_ssize_t
        for i in range(count):
            if marks[i] & bit:
                moved += 1
                moved_texts += width_of(marks[i])
        if count == 0 or (moved == 0 and not rises):
            return 0
        fresh: cython.pointer[uint8_t] = self.open_block(
            count - moved, texts - moved_texts, version_of(block)
        )
        try:
            high[0] = bucket_of(self.open_block(moved, moved_texts, version_of(block)), moved)
        except MemoryError:
            if fresh is not cython.NULL:
                self.give_block(fresh, size_of(count - moved, texts - moved_texts))
            raise
        split_block(
            low[0],
            bit,
            shift_of(self.bits + 1) if rises else 0,
            bucket_of(fresh, count - moved),
            high[0],
        )
        self.give_block(block, size_of(count, texts))
        low[0] = bucket_of(fresh, count - moved)
        return 0

    def open_block(
        self, count: cython.Py_ssize_t, texts: cython.Py_ssize_t, version: uint32_t
    ) -> cython.pointer[uint8_t]:
        """A block to be filled, NULL if there is nothing to fill it with; raises MemoryError."""
        if count == 0:
            return cython.NULL
        return self.take_block(size_of(count, texts), version)

    def take_block(self, size: cython.Py_ssize_t, version: uint32_t) -> cython.pointer[uint8_t]:
        """A block of that size to be filled; raises MemoryError."""
        block: cython.pointer[uint8_t] = cython.cast(cython.pointer[uint8_t], self.take(size))
        set_version(block, version)
        set_room(block, size)
        return block

    def give_block(self, block: cython.pointer[uint8_t], size: cython.Py_ssize_t) -> cython.void:
        """Give a block back of which that many bytes are in use."""
        self.give(block, room_of(block, size))

    def shrink(self) -> cython.int:
        """Join the last bucket with the one from which it was split."""
        split: cython.Py_ssize_t = self.split
        bits: cython.int = self.bits
        if split == 0:
            bits -= 1
            split = cython.cast(cython.Py_ssize_t, 1) << bits
        if not self.join(split - 1, self.buckets - 1, bits):
            return 0
        self.bits = bits
        self.low_mask = (cython.cast(uint64_t, 1) << bits) - 1
        self.split = split - 1
        self.buckets -= 1
        return self.give_up_room()

    def join(
        self, low_number: cython.Py_ssize_t, high_number: cython.Py_ssize_t, depth: cython.int
    ) -> cython.bint:
        """Move the members of one bucket to another; returns whether they have room there.

        ``depth`` is that of the bucket that both make. Raises MemoryError, with nothing changed.
        """
        low: cython.pointer[uint64_t] = self.bucket_at(low_number)
        high: cython.pointer[uint64_t] = self.bucket_at(high_number)
        block: cython.pointer[uint8_t] = cython.NULL
        count: cython.Py_ssize_t = count_of(low[0])
        more: cython.Py_ssize_t = count_of(high[0])
        if count + more > MOST:
            return False
        texts: cython.Py_ssize_t = widths(marks_of(block_of(low[0])), count)
        more_texts: cython.Py_ssize_t = widths(marks_of(block_of(high[0])), more)
        if count and more:
            if version_of(block_of(low[0])) != version_of(block_of(high[0])):
                self.keep(low)
                self.keep(high)
            block = self.open_block(count + more, texts + more_texts, version_of(block_of(low[0])))
        if shift_of(depth + 1) != shift_of(depth):
            widen_tags(low[0], cython.cast(uint64_t, low_number) >> shift_of(depth))
            widen_tags(high[0], cython.cast(uint64_t, high_number) >> shift_of(depth))
        if block is not cython.NULL:
            chain_blocks(block, low[0], texts, high[0], more_texts)
            self.give_block(block_of(low[0]), size_of(count, texts))
            self.give_block(block_of(high[0]), size_of(more, more_texts))
            low[0] = bucket_of(block, count + more)
        elif more:
            low[0] = high[0]
        high[0] = 0
        self.longest = max(self.longest, count + more)
        return True

    def make_room(self, buckets: cython.Py_ssize_t) -> cython.int:
        """Have room for so many buckets, empty where they are new."""
        fresh: cython.pointer[uint64_t]
        size: cython.Py_ssize_t
        while self.room < buckets:
            if self.room >> SEGMENT_BITS == self.segment_room or self.room == 0:
                self.make_segment_room()
            size = SEGMENT
            if self.room < SEGMENT:
                size = max(2 * self.room, 2)
            fresh = cython.cast(cython.pointer[uint64_t], self.take(size * 8))
            memset(fresh, 0, size * 8)
            if 0 < self.room < SEGMENT:
                memcpy(fresh, self.segments[0], self.room * 8)
                self.give(self.segments[0], self.room * 8)
                self.room = 0
            self.segments[self.room >> SEGMENT_BITS] = fresh
            self.room += size
        return 0

    def make_segment_room(self) -> cython.int:
        """Have room for more pointers to segments."""
        room: cython.Py_ssize_t = max(2 * self.segment_room, 1)
        fresh: cython.pointer[cython.pointer[uint64_t]] = cython.cast(
            cython.pointer[cython.pointer[uint64_t]], self.take(room * 8)
        )
        if self.segment_room:
            memcpy(fresh, self.segments, self.segment_room * 8)
            self.give(self.segments, self.segment_room * 8)
        self.segments = fresh
        self.segment_room = room
        return 0

    def give_up_room(self) -> cython.int:
        """Give back what there is too much room for buckets."""
        if self.room > SEGMENT and self.buckets <= self.room - SEGMENT:
            self.room -= SEGMENT
            self.give(self.segments[self.room >> SEGMENT_BITS], SEGMENT * 8)
        elif self.room <= SEGMENT and self.buckets * 4 <= self.room:
            fresh: cython.pointer[uint64_t] = cython.cast(
                cython.pointer[uint64_t], self.take(self.room * 4)
            )
            memcpy(fresh, self.segments[0], self.room * 4)
            self.give(self.segments[0], self.room * 8)
            self.segments[0] = fresh
            self.room >>= 1
        return 0

    # -- As a whole ------------------------------------------------------------------------------

    def copy(self) -> Members:
        """Another table of the same texts."""
        twin: Members = Members()
        i: cython.Py_ssize_t
        twin.reserve(self.buckets * FULL)
        twin.longest = self.longest
        for i in range(self.buckets):
            twin.copy_bucket(self.bucket_at(i)[0], twin.bucket_at(i))
        return twin

    def copy_bucket(self, source: uint64_t, bucket: cython.pointer[uint64_t]) -> cython.int:
        """Fill an empty bucket with the texts of another table's."""
        block: cython.pointer[uint8_t] = block_of(source)
        count: cython.Py_ssize_t = count_of(source)
        marks: cython.pointer[uint16_t] = marks_of(block)
        at: cython.Py_ssize_t = size_of(count, 0)
        i: cython.Py_ssize_t
        long: cython.pointer[LongText]
        for i in range(count):
            # One by one where one of them has memory of its own.
            if is_long(marks[i]):
                long = long_text(block + at)
                self.append(
                    bucket, marks[i], cython.cast(cython.p_const_char, long + 1), long.length
                )
            else:
                self.append(
                    bucket,
                    marks[i],
                    cython.cast(cython.p_const_char, block + at),
                    width_of(marks[i]),
                )
            at += width_of(marks[i])
            self.used += 1
        return 0

    def drain(self, buckets: cython.Py_ssize_t) -> cython.bint:
        """Empty up to so many buckets of a table that nobody uses any more.

        Returns whether there is nothing left to do: a table of which a version is being read is
        left to the reader, who holds it.
        """
        if self.keeper is not None:
            return True
        while self.drained < self.buckets and buckets > 0:
            if self.segments is not cython.NULL and self.room:
                self.free_bucket(self.bucket_at(self.drained))
            self.drained += 1
            buckets -= 1
        return self.drained >= self.buckets

    def free_some(self) -> bool:
        """Empty some buckets of a table that nobody uses any more; whether more are left."""
        return not self.drain(BUCKETS_PER_STEP)

    def free_bucket(self, bucket: cython.pointer[uint64_t]) -> cython.void:
        """Give back what a bucket holds."""
        block: cython.pointer[uint8_t] = block_of(bucket[0])
        count: cython.Py_ssize_t = count_of(bucket[0])
        marks: cython.pointer[uint16_t] = marks_of(block)
        at: cython.pointer[uint8_t] = block + size_of(count, 0)
        i: cython.Py_ssize_t
        if count == 0:
            return
        for i in range(count):
            if is_long(marks[i]):
                self.free_long(long_text(at))
            at += width_of(marks[i])
        self.give_block(block, at - block)
        bucket[0] = 0
        self.used -= count

    def stats(self) -> dict:
        """Figures, for debugging and tests."""
        return {
            "members": self.used,
            "buckets": self.buckets,
            "room": self.room,
            "longest": self.longest,
        }
