"""Sorted sets: members with scores, in the order of the scores.

A small one is a listpack of pairs (:mod:`carnelian.datatypes.collections.scored_pack`). A big one
is a table of entries, each a member and its score, and a tree that holds the same entries in their
order (:mod:`carnelian.datatypes.collections.by_score`). The first turns into the second when it has
too many members, or one that is too long, and never back.

Ranks count from 0 in ascending order. Members of equal score are in the order of their bytes.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import allocate, block_memory, count, release
from cython.cimports.carnelian.datatypes.base.slabs import cell_size
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.collections import by_score, scored_pack
from cython.cimports.carnelian.datatypes.collections.by_score import Bound, Cursor, Tree, item_at
from cython.cimports.carnelian.datatypes.collections.scored_pack import (
    FLAT,
    PAIRS,
    TEXT,
    ScoreRange,
    Span,
    TextRange,
)
from cython.cimports.carnelian.datatypes.collections.sorted_set import (
    ADDED,
    GT,
    INCREMENT,
    LT,
    NOT_A_NUMBER,
    NX,
    SKIPPED,
    UNCHANGED,
    UPDATED,
    XX,
    EntryPointer,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import DIGITS, Pack
from cython.cimports.carnelian.datatypes.tables.entry import (
    Content,
    Entry,
    build,
    describe_integer,
    destroy,
    key_length,
    key_of,
    read_key,
    set_word_of,
    size_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.table import (
    Found,
    Table,
    entry_at,
    forget,
    hash_text,
    keep,
)
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.list import PyList_New, PyList_SET_ITEM
from cython.cimports.cpython.ref import Py_INCREF
from cython.cimports.libc.math import isnan
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.string import memcpy, memset

from carnelian.datatypes.base.digest import Digest

# Bytes of the Python object, and of the one around the table.
SHELL = cython.declare(cython.Py_ssize_t, 48)
TABLE_SHELL = cython.declare(cython.Py_ssize_t, 192)
# What one step of freeing takes apart.
BUCKETS_PER_STEP = cython.declare(cython.Py_ssize_t, 8)
LEAVES_PER_STEP = cython.declare(cython.Py_ssize_t, 16)
# A sample of more than one in so many members is taken from a list of all.
DENSE = cython.declare(cython.Py_ssize_t, 3)
# Buckets that a scan looks at for every member it was asked for.
SCAN_PATIENCE = cython.declare(cython.Py_ssize_t, 10)


@cython.final
@cython.no_gc
@cython.cclass
class SortedSet(Value):
    """Members with scores. Methods that change it take the limits of the small form."""

    def __cinit__(self):
        self.pack = listpack.create()
        self.tree = cython.NULL
        count(SHELL)

    def __dealloc__(self):
        count(-SHELL)
        if self.pack is not cython.NULL:
            listpack.destroy(self.pack)
        if self.tree is not cython.NULL:
            by_score.close_some(self.tree, -1)
            release(self.tree)
            count(-TABLE_SHELL)

    # -- As a value ------------------------------------------------------------------------------

    @property
    def type_name(self) -> bytes:
        """``b"zset"``."""
        return b"zset"

    def encoding(self) -> bytes:
        """``b"listpack"`` or ``b"skiplist"``, as Redis calls what a tree is here."""
        return b"skiplist" if self.pack is cython.NULL else b"listpack"

    def memory(self) -> cython.Py_ssize_t:
        """Bytes that it holds, itself included. O(1), but for members of a big set."""
        if self.pack is not cython.NULL:
            return SHELL + listpack.memory_of(self.pack)
        return (
            SHELL
            + TABLE_SHELL
            + block_memory(self.tree)
            + self.tree.memory
            + self.tree.entries
            + self.table.memory()
        )

    def free_effort(self) -> cython.Py_ssize_t:
        """Blocks to free."""
        return 1 if self.pack is not cython.NULL else self.tree.count

    def free_some(self) -> bool:
        """Take a big set apart that nobody uses any more; returns whether there is more to do."""
        if self.pack is not cython.NULL:
            return False
        if not self.table.drain(BUCKETS_PER_STEP):
            return True
        return not by_score.close_some(self.tree, LEAVES_PER_STEP)

    def copy(self):
        """Another set of the same members and scores, in the same form. O(n log n)."""
        other: SortedSet = SortedSet()
        cursor = cython.declare(Cursor)
        entry: EntryPointer
        if self.pack is not cython.NULL:
            listpack.destroy(other.pack)
            other.pack = listpack.duplicate(self.pack)
            return other
        other.grow()
        other.table.reserve(self.tree.count)
        by_score.seek(self.tree, 0, cython.address(cursor))
        while cursor.leaf is not cython.NULL:
            entry = cython.cast(EntryPointer, item_at(cython.address(cursor)).entry)
            other.add_entry(
                key_of(entry),
                key_length(entry),
                hash_text(key_of(entry), key_length(entry)),
                item_at(cython.address(cursor)).score,
            )
            by_score.step(cython.address(cursor), True)
        return other

    def digest(self, digest: Digest) -> None:
        """Take all members with their scores in, in any order (DEBUG DIGEST)."""
        text = cython.declare(cython.char[40])
        for member, score in self.slice(0, self.size(), False, PAIRS):
            element = Digest()
            element.chain(member)
            element.chain(PyBytes_FromStringAndSize(text, long_text(text, score)))
            digest.blend(element.value())

    # -- Reading ---------------------------------------------------------------------------------

    def size(self) -> cython.Py_ssize_t:
        """Number of members."""
        if self.pack is not cython.NULL:
            return listpack.count_of(self.pack) >> 1
        return self.tree.count

    def __len__(self) -> int:
        return self.size()

    def __contains__(self, member: bytes) -> bool:
        score: cython.double = 0.0
        return self.lookup(member, cython.address(score))

    def score(self, member: bytes):
        """The score of a member, None if it is not there."""
        score: cython.double = 0.0
        return score if self.lookup(member, cython.address(score)) else None

    def items(self) -> list:
        """``(member, score)`` of all, in order."""
        return [tuple(pair) for pair in self.slice(0, self.size(), False, PAIRS)]

    def packed(self) -> bytes | None:
        """The bytes of the small form, as Redis writes them to files; None for a big set."""
        if self.pack is cython.NULL:
            return None
        return PyBytes_FromStringAndSize(
            cython.cast(cython.p_char, self.pack), listpack.total_of(self.pack)
        )

    def index(self, member: bytes):
        """The rank of a member, None if it is not there."""
        score: cython.double = 0.0
        rank: cython.Py_ssize_t = self.rank(member, cython.address(score))
        return rank if rank >= 0 else None

    def ranks_by_score(
        self,
        low: cython.double,
        high: cython.double,
        low_open: bool = False,
        high_open: bool = False,
    ) -> tuple:
        """The ranks (first, behind the last) of the members with a score between two."""
        span = cython.declare(Span)
        bounds = cython.declare(ScoreRange)
        bounds.low = low
        bounds.high = high
        bounds.low_open = low_open
        bounds.high_open = high_open
        self.score_span(cython.address(bounds), cython.address(span))
        return span.start, span.stop

    def ranks_by_text(
        self, low: bytes, high: bytes, low_open: bool = False, high_open: bool = False
    ) -> tuple:
        """The ranks of the members between two texts, where all scores are equal."""
        span = cython.declare(Span)
        bounds = cython.declare(TextRange)
        bounds.low_kind = bounds.high_kind = TEXT
        bounds.low = low
        bounds.low_length = len(low)
        bounds.high = high
        bounds.high_length = len(high)
        bounds.low_open = low_open
        bounds.high_open = high_open
        self.text_span(cython.address(bounds), False, cython.address(span))
        return span.start, span.stop

    def between(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> list:
        """``[member, score]`` of these ranks, downwards if ``stop`` is below ``start``."""
        start = min(max(start, 0), self.size())
        stop = min(max(stop, -1), self.size())
        if stop < start:
            start = min(start, self.size() - 1)
            return self.slice(start, start - stop, True, PAIRS)
        return self.slice(start, stop - start, False, PAIRS)

    def is_sound(self) -> bool:
        """Whether table and tree of a big set agree; for tests. O(n log n)."""
        if self.pack is not cython.NULL:
            return True
        return self.table.used == self.tree.count and by_score.is_sound(self.tree)

    def lookup(self, member: bytes, score: cython.p_double) -> cython.bint:
        """Read the score of a member; returns whether it is there. O(1), O(n) in the small form."""
        if self.pack is not cython.NULL:
            return (
                scored_pack.find(
                    self.pack, PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member), score
                )
                != 0
            )
        entry: EntryPointer = self.find(member)
        if entry is cython.NULL:
            return False
        score[0] = score_of(entry)
        return True

    def rank(self, member: bytes, score: cython.p_double) -> cython.Py_ssize_t:
        """The rank of a member, and its score; -1 if it is not there. O(log n)."""
        at: cython.Py_ssize_t
        if self.pack is not cython.NULL:
            at = scored_pack.find(
                self.pack, PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member), score
            )
            return scored_pack.rank_at(self.pack, at) if at else -1
        entry: EntryPointer = self.find(member)
        if entry is cython.NULL:
            return -1
        score[0] = score_of(entry)
        return by_score.rank_of(self.tree, score[0], entry)

    def slice(self, rank, count, reverse, shape):
        """Members from a rank on, or from there down; all of them have to be there.

        ``shape``: MEMBERS, FLAT (score behind each) or PAIRS (a list of both). O(log n + count).
        """
        cursor = cython.declare(Cursor)
        found: list
        index: cython.Py_ssize_t = 0
        if self.pack is not cython.NULL:
            return scored_pack.slice(self.pack, rank, count, reverse, shape)
        found = PyList_New(count * 2 if shape == FLAT else count)
        by_score.seek(self.tree, rank, cython.address(cursor))
        while count:
            index = put_pair(
                found,
                index,
                cython.cast(EntryPointer, item_at(cython.address(cursor)).entry),
                item_at(cython.address(cursor)).score,
                shape,
            )
            by_score.step(cython.address(cursor), not reverse)
            count -= 1
        return found

    def pour(self, rank, count, reverse, with_scores, sink):
        """As :meth:`slice`, into a sink: members, each with its score behind it if wanted."""
        cursor = cython.declare(Cursor)
        entry: EntryPointer
        if self.pack is not cython.NULL:
            return scored_pack.pour(self.pack, rank, count, reverse, with_scores, sink)
        by_score.seek(self.tree, rank, cython.address(cursor))
        while count:
            entry = cython.cast(EntryPointer, item_at(cython.address(cursor)).entry)
            sink.text(key_of(entry), key_length(entry))
            if with_scores:
                sink.score(item_at(cython.address(cursor)).score)
            by_score.step(cython.address(cursor), not reverse)
            count -= 1
        return 0

    def choose(self, span, wanted, context, most, members):
        """Append the members of these ranks whose score is wanted, until there are ``most``.

        ``wanted`` is called with each score and ``context``. O(log n + ranks).
        """
        cursor = cython.declare(Cursor)
        left: cython.Py_ssize_t = span.stop - span.start
        at: cython.Py_ssize_t
        scored: cython.Py_ssize_t
        if left == 0:
            return 0
        if self.pack is not cython.NULL:
            at = listpack.seek(self.pack, 2 * span.start)
            while left and len(members) < most:
                scored = listpack.after(self.pack, at)
                if wanted(scored_pack.score_at(self.pack, scored), context):
                    members.append(listpack.bytes_at(self.pack, at))
                at = listpack.after(self.pack, scored)
                left -= 1
            return 0
        by_score.seek(self.tree, span.start, cython.address(cursor))
        while left and len(members) < most:
            if wanted(item_at(cython.address(cursor)).score, context):
                members.append(read_key(item_at(cython.address(cursor)).entry))
            by_score.step(cython.address(cursor), True)
            left -= 1
        return 0

    def random_pairs(self, count: cython.Py_ssize_t, shape: cython.int) -> list:
        """So many members, each drawn from all of them, which must be some; as :meth:`slice`."""
        drawn: list = []
        every: Any = self.slice(0, self.size(), False, PAIRS) if self.pack and count > 1 else None
        size: cython.Py_ssize_t = self.size()
        rank: cython.Py_ssize_t
        while count:
            rank = random_below(size)
            if every is None:
                drawn += self.slice(rank, 1, False, shape)
            else:
                add_pair(drawn, every[rank], shape)
            count -= 1
        return drawn

    def sample(self, count: cython.Py_ssize_t, shape: cython.int) -> list:
        """So many different members in any order; all of them if there are not more."""
        size: cython.Py_ssize_t = self.size()
        drawn: list = []
        pairs: list
        ranks: set = set()
        i: cython.Py_ssize_t
        other: cython.Py_ssize_t
        if count >= size:
            return self.slice(size - 1, size, True, shape)
        if count * DENSE <= size and self.pack is cython.NULL:
            while len(ranks) < count:
                ranks.add(random_below(size))
            for i in ranks:
                drawn += self.slice(i, 1, False, shape)
            return drawn
        pairs = self.slice(0, size, False, PAIRS)
        for i in range(count):
            other = i + cython.cast(cython.Py_ssize_t, random_below(size - i))
            pairs[i], pairs[other] = pairs[other], pairs[i]
            add_pair(drawn, pairs[i], shape)
        return drawn

    def scan(self, cursor: uint64_t, wanted, found: list) -> uint64_t:
        """Add members and texts of scores to ``found``, and return the next cursor, 0 at the end.

        A small set comes at once. See :meth:`carnelian.keyspace.database.Database.scan`.
        """
        entries = cython.declare(Found)
        text = cython.declare(cython.char[40])
        visits: cython.Py_ssize_t = wanted * SCAN_PATIENCE
        at: cython.Py_ssize_t
        i: cython.Py_ssize_t
        if self.pack is not cython.NULL:
            at = listpack.first(self.pack)
            while at:
                found.append(listpack.bytes_at(self.pack, at))
                at = listpack.after(self.pack, at)
            return 0
        memset(cython.address(entries), 0, cython.sizeof(Found))
        try:
            while True:
                cursor = self.table.scan(cursor, cython.address(entries))
                visits -= 1
                if cursor == 0 or visits <= 0 or entries.count >= wanted:
                    break
            for i in range(entries.count):
                found.append(read_key(entries.items[i]))
                at = long_text(text, score_of(entries.items[i]))
                found.append(PyBytes_FromStringAndSize(text, at))
        finally:
            forget(cython.address(entries))
        return cursor

    # -- Ranges ----------------------------------------------------------------------------------

    def score_span(
        self, bounds: cython.pointer[cython.const[ScoreRange]], span: cython.pointer[Span]
    ) -> cython.int:
        """The ranks of the members with a score in a range. O(log n)."""
        if self.pack is not cython.NULL:
            span.start = scored_pack.count_below(self.pack, bounds.low, bounds.low_open)
            span.stop = scored_pack.count_below(self.pack, bounds.high, not bounds.high_open)
        else:
            span.start = self.count_below(bounds.low, bounds.low_open)
            span.stop = self.count_below(bounds.high, not bounds.high_open)
        span.stop = max(span.start, span.stop)
        return 0

    def count_below(self, score: cython.double, through: cython.bint) -> cython.Py_ssize_t:
        """How many members of a big set have a score below this one, or this one, too."""
        bound = cython.declare(Bound)
        bound.score = score
        bound.by_score = True
        bound.by_text = False
        bound.through = through
        return by_score.count_before(self.tree, cython.address(bound))

    def text_span(
        self,
        bounds: cython.pointer[cython.const[TextRange]],
        reverse: cython.bint,
        span: cython.pointer[Span],
    ) -> cython.int:
        """The ranks of the members in a range of texts, if all scores are equal. O(log n).

        Where they are not, the result is what a walk from the low end (with ``reverse`` from the
        high end) to the first member outside finds, in the small form.
        """
        span.start = span.stop = 0
        if scored_pack.is_empty(bounds):
            return 0
        if self.pack is not cython.NULL:
            scored_pack.text_span(self.pack, bounds, reverse, span)
            return 0
        if bounds.low_kind == TEXT:
            span.start = self.count_texts(bounds.low, bounds.low_length, bounds.low_open)
        span.stop = self.tree.count
        if bounds.high_kind == TEXT:
            span.stop = self.count_texts(bounds.high, bounds.high_length, not bounds.high_open)
        span.stop = max(span.start, span.stop)
        return 0

    def count_texts(
        self, text: cython.p_const_char, length: cython.Py_ssize_t, through: cython.bint
    ) -> cython.Py_ssize_t:
        """How many members of a big set are below this text, or equal to it, too."""
        bound = cython.declare(Bound)
        bound.text = text
        bound.length = length
        bound.by_score = False
        bound.by_text = True
        bound.through = through
        return by_score.count_before(self.tree, cython.address(bound))

    # -- Changing --------------------------------------------------------------------------------

    def add(self, member: bytes, score: cython.double, limits: Limits) -> bool:
        """Set the score of a member; returns whether it was added."""
        return self.put(member, cython.address(score), 0, limits) == ADDED

    def discard(self, member: bytes) -> bool:
        """Remove a member; returns whether it was there."""
        return self.remove(member)

    def remove_ranks(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> None:
        """Remove the members of these ranks, which have to be there."""
        span = cython.declare(Span)
        span.start = start
        span.stop = stop
        self.remove_span(cython.address(span))

    def put(
        self, member: bytes, score: cython.p_double, conditions: cython.int, limits: Limits
    ) -> cython.int:
        """Set or, with INCREMENT, add to the score of a member, which is added if it is not there.

        Conditions, combined by or: NX adds only, XX changes only, GT and LT change only to a
        higher or a lower score. ``score`` is then the new one. Returns an outcome: ADDED, UPDATED,
        UNCHANGED (it had that score), SKIPPED (for a condition), NOT_A_NUMBER (nothing done).
        O(log n).
        """
        if self.pack is not cython.NULL:
            return self.put_small(member, score, conditions, limits)
        return self.put_big(member, score, conditions)

    def put_small(
        self, member: bytes, score: cython.p_double, conditions: cython.int, limits: Limits
    ) -> cython.int:
        """:meth:`put` into a listpack, as long as that takes it."""
        text: cython.p_char = PyBytes_AS_STRING(member)
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(member)
        current: cython.double = 0.0
        outcome: cython.int
        at: cython.Py_ssize_t = scored_pack.find(self.pack, text, length, cython.address(current))
        if at:
            outcome = resolve(current, score, conditions)
            if outcome == UPDATED:
                scored_pack.remove(cython.address(self.pack), at)
                scored_pack.put(cython.address(self.pack), text, length, score[0])
            return outcome
        if conditions & XX:
            return SKIPPED
        if (
            self.size() >= limits.zset_max_listpack_entries
            or length > limits.zset_max_listpack_value
            or not listpack.safe_to_add(self.pack, length)
        ):
            self.grow()
            return self.put_big(member, score, conditions)
        scored_pack.put(cython.address(self.pack), text, length, score[0])
        return ADDED

    def put_big(self, member: bytes, score: cython.p_double, conditions: cython.int) -> cython.int:
        """:meth:`put` into table and tree."""
        entry: EntryPointer = self.find(member)
        outcome: cython.int
        if entry is cython.NULL:
            if conditions & XX:
                return SKIPPED
            self.add_entry(
                PyBytes_AS_STRING(member),
                PyBytes_GET_SIZE(member),
                cython.cast(uint64_t, hash(member)),
                score[0],
            )
            return ADDED
        outcome = resolve(score_of(entry), score, conditions)
        if outcome == UPDATED:
            keep(self.table, cython.cast(cython.pointer[Entry], entry))
            by_score.move(self.tree, score_of(entry), entry, score[0])
            set_score_of(entry, score[0])
        return outcome

    def remove(self, member: bytes) -> cython.bint:
        """Remove a member; returns whether it was there. O(log n)."""
        score: cython.double = 0.0
        at: cython.Py_ssize_t
        entry: EntryPointer
        if self.pack is not cython.NULL:
            at = scored_pack.find(
                self.pack,
                PyBytes_AS_STRING(member),
                PyBytes_GET_SIZE(member),
                cython.address(score),
            )
            if at:
                scored_pack.remove(cython.address(self.pack), at)
            return at != 0
        entry = self.find(member)
        if entry is cython.NULL:
            return False
        self.drop_entry(entry)
        return True

    def remove_span(self, span: cython.pointer[cython.const[Span]]) -> cython.int:
        """Remove the members of these ranks. O(log n) each."""
        cursor = cython.declare(Cursor)
        left: cython.Py_ssize_t = span.stop - span.start
        if self.pack is not cython.NULL:
            listpack.remove_range(cython.address(self.pack), 2 * span.start, 2 * left)
            return 0
        while left > 0:
            by_score.seek(self.tree, span.start, cython.address(cursor))
            self.drop_entry(cython.cast(EntryPointer, item_at(cython.address(cursor)).entry))
            left -= 1
        return 0

    # -- The big form ----------------------------------------------------------------------------

    def find(self, member: bytes) -> cython.pointer[Entry]:
        """The entry of a member of a big set, or NULL."""
        slot: cython.pointer[uint64_t] = self.table.find(
            cython.cast(uint64_t, hash(member)),
            PyBytes_AS_STRING(member),
            PyBytes_GET_SIZE(member),
        )
        return entry_at(slot) if slot is not cython.NULL else cython.NULL

    def add_entry(self, text, length, hash, score):
        """Add a member that is not there to a big set."""
        content = cython.declare(Content)
        entry: EntryPointer
        word: int64_t = 0
        memcpy(cython.address(word), cython.address(score), 8)
        describe_integer(word, cython.address(content))
        entry = build(text, length, 0, -1, cython.address(content))
        self.table.insert(hash, entry)
        return self.enter(entry)

    def enter(self, entry: cython.pointer[Entry]) -> cython.int:
        """Add an entry that stands in the table to the tree."""
        by_score.insert(self.tree, score_of(entry), entry)
        self.tree.entries += cell_size(size_of(entry))
        return 0

    def drop_entry(self, entry: cython.pointer[Entry]) -> cython.int:
        """Remove a member from a big set."""
        hash: uint64_t = hash_text(key_of(entry), key_length(entry))
        by_score.erase(self.tree, score_of(entry), entry)
        self.tree.entries -= cell_size(size_of(entry))
        self.table.remove(hash, self.table.find_entry(hash, entry))
        destroy(entry)
        return 0

    def grow(self) -> cython.int:
        """Turn into the big form. O(n)."""
        pack: Pack = self.pack
        at: cython.Py_ssize_t = listpack.first(pack)
        scored: cython.Py_ssize_t
        length: cython.Py_ssize_t = 0
        digits = cython.declare(cython.char[DIGITS])
        text: cython.p_const_char
        self.tree = cython.cast(cython.pointer[Tree], allocate(cython.sizeof(Tree)))
        by_score.open_tree(self.tree)
        self.table = Table()
        self.table.reserve(listpack.count_of(pack) >> 1)
        count(TABLE_SHELL)
        self.pack = cython.NULL
        while at:
            text = listpack.text_at(pack, at, digits, cython.address(length))
            scored = listpack.after(pack, at)
            self.add_entry(
                text, length, hash_text(text, length), scored_pack.score_at(pack, scored)
            )
            at = listpack.after(pack, scored)
        listpack.destroy(pack)
        return 0


def from_packed(data: bytes, limits: Limits) -> SortedSet:
    """A set of the bytes of its small form, which grows if the limits say so; else as it is.

    Raises ValueError if the bytes are no listpack of pairs. O(n).
    """
    made: SortedSet = SortedSet()
    pack: Pack = listpack.from_text(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
    listpack.destroy(made.pack)
    made.pack = pack
    if listpack.count_of(pack) % 2:
        raise ValueError("a member without a score")
    if made.size() > limits.zset_max_listpack_entries:
        made.grow()
    return made


def of_sorted(pairs: list, limits: Limits) -> SortedSet:
    """A set of ``(score, member)`` pairs that are in order; big only where it has to be."""
    made: SortedSet = SortedSet()
    small: cython.bint = len(pairs) <= limits.zset_max_listpack_entries
    total: cython.Py_ssize_t = 0
    member: bytes
    score: cython.double
    pair: tuple
    for pair in pairs:
        if not small:
            break
        total += len(cython.cast(bytes, pair[1]))
        small = len(cython.cast(bytes, pair[1])) <= limits.zset_max_listpack_value
    if not small or not listpack.safe_to_add(made.pack, total):
        made.grow()
        made.table.reserve(len(pairs))
    for pair in pairs:
        score = pair[0]
        member = pair[1]
        if made.pack is not cython.NULL:
            scored_pack.append(
                cython.address(made.pack),
                PyBytes_AS_STRING(member),
                PyBytes_GET_SIZE(member),
                score,
            )
        else:
            made.put_big(member, cython.address(score), 0)
    return made


# -- Scores of entries ---------------------------------------------------------------------------


def score_of(entry: cython.pointer[cython.const[Entry]]) -> cython.double:
    """The score that stands in place of an entry's integer."""
    word: int64_t = word_of(entry)
    score: cython.double = 0.0
    memcpy(cython.address(score), cython.address(word), 8)
    return score


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def set_score_of(entry: EntryPointer, score: cython.double) -> cython.void:
    word: int64_t = 0
    memcpy(cython.address(word), cython.address(score), 8)
    set_word_of(entry, word)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def long_text(text: cython.p_char, score: cython.double) -> cython.int:
    """Write a score with 17 digits, as ZSCAN and digests have it; its length."""
    return snprintf(text, 40, b"%.17g", score)


@cython.cfunc
@cython.exceptval(-1, check=False)
def put_pair(
    found: list,
    index: cython.Py_ssize_t,
    entry: EntryPointer,
    score: cython.double,
    shape: cython.int,
) -> cython.Py_ssize_t:
    """Put a member into a list that was made for it; the next free index."""
    item: object = read_key(entry)
    if shape == PAIRS:
        item = [item, score]
    Py_INCREF(item)
    PyList_SET_ITEM(found, index, item)
    if shape == FLAT:
        item = score
        Py_INCREF(item)
        PyList_SET_ITEM(found, index + 1, item)
        return index + 2
    return index + 1


@cython.cfunc
@cython.exceptval(-1)
def add_pair(found: list, pair: list, shape: cython.int) -> cython.int:
    """Append a pair in the shape that is asked for."""
    if shape == PAIRS:
        found.append(pair)
        return 0
    found.append(pair[0])
    if shape == FLAT:
        found.append(pair[1])
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def resolve(current: cython.double, score: cython.p_double, conditions: cython.int) -> cython.int:
    """What becomes of a member with a score."""
    if conditions & NX:
        return SKIPPED
    if conditions & INCREMENT:
        score[0] += current
        if isnan(score[0]):
            return NOT_A_NUMBER
    if (conditions & LT and score[0] >= current) or (conditions & GT and score[0] <= current):
        return SKIPPED
    return UNCHANGED if score[0] == current else UPDATED
