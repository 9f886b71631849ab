"""Sorted sets in files: a listpack of pairs, or single members with their scores."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.collections import by_score
from cython.cimports.carnelian.datatypes.collections.by_score import Cursor, item_at
from cython.cimports.carnelian.datatypes.collections.scored_pack import FLAT
from cython.cimports.carnelian.datatypes.collections.sorted_set import (
    EntryPointer,
    SortedSet,
    of_sorted,
    score_of,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import Pack
from cython.cimports.carnelian.datatypes.tables.entry import (
    Content,
    Entry,
    build,
    describe_integer,
    key_length,
    key_of,
    read_key,
    word_of,
)
from cython.cimports.carnelian.datatypes.tables.table import Table, hash_text
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import ITEMS, TAKEN
from cython.cimports.carnelian.persistence.bytes.formats import (
    ZSET,
    ZSET_2,
    ZSET_LISTPACK,
    ZSET_ZIPLIST,
)
from cython.cimports.carnelian.persistence.bytes.frozen import FrozenMembers
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.packs import put_pack, read_pack, read_ziplist
from cython.cimports.carnelian.resp.numbers import format_float
from cython.cimports.libc.math import INFINITY, NAN, isnan
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc, strtod
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue


@cython.final
@cython.cclass
class SortedSetForm(Form):
    """Of sorted sets."""

    def type_of(self, value, version):
        """A listpack while it is one."""
        small: cython.bint = cython.cast(SortedSet, value).pack is not cython.NULL
        return ZSET_LISTPACK if small else ZSET_2

    def put(self, sink, value):
        """A listpack of pairs, or the number of members and each with its score, the highest
        first.
        """
        cursor = cython.declare(Cursor)
        entry: by_score.EntryPointer
        word: int64_t = 0
        if cython.cast(SortedSet, value).pack is not cython.NULL:
            return put_pack(sink, cython.cast(SortedSet, value).pack)
        sink.put_length(cython.cast(SortedSet, value).tree.count)
        by_score.seek(
            cython.cast(SortedSet, value).tree,
            cython.cast(SortedSet, value).tree.count - 1,
            cython.address(cursor),
        )
        while cursor.leaf is not cython.NULL:
            entry = item_at(cython.address(cursor)).entry
            sink.put_text(key_of(entry), key_length(entry))
            memcpy(cython.address(word), cython.address(item_at(cython.address(cursor)).score), 8)
            sink.put_word(word)
            by_score.step(cython.address(cursor), False)
        return 0

    def read(self, source, type, limits, thorough):
        """Members, or pairs that are packed."""
        if type in (ZSET, ZSET_2):
            return read_sorted_set(source, type == ZSET_2, limits)
        if type == ZSET_LISTPACK:
            return sorted_set_of_pack(read_pack(source, "Zset listpack", 2, thorough), limits)
        return sorted_set_of_pack(read_ziplist(source, "Zset ziplist", 2), limits)

    def freeze(self, freezer, index, value):
        """Member by member, if it has many."""
        table: Table = cython.cast(SortedSet, value).table
        if table is None or table.used < freezer.big:
            return None
        frozen: FrozenSortedSet = FrozenSortedSet(freezer, table, index)
        table.begin_version(frozen)
        return frozen

    def rewrite(self, commands, key, value):
        """In pieces."""
        members: SortedSet = value
        rank: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        pairs: list
        words: list
        i: cython.Py_ssize_t
        while rank < members.size():
            count = min(TAKEN, members.size() - rank)
            pairs = members.slice(rank, count, False, FLAT)
            words = []
            for i in range(0, 2 * count, 2):
                words.append(format_float(pairs[i + 1]))
                words.append(pairs[i])
            commands.put_some(b"ZADD", key, words, 2 * ITEMS)
            rank += count
        return 0


register(SortedSet, SortedSetForm(), (ZSET, ZSET_2, ZSET_ZIPLIST, ZSET_LISTPACK))


# -- In --------------------------------------------------------------------------------------------


@cython.cfunc
def sorted_set_of_pack(pack: Pack, limits: Limits) -> SortedSet:
    """A sorted set that is that listpack, or table and tree if it is too large for one."""
    made: SortedSet = SortedSet()
    listpack.destroy(made.pack)
    made.pack = pack
    if made.size() > limits.zset_max_listpack_entries:
        made.grow()
    return made


@cython.cfunc
def read_sorted_set(source: Source, binary: cython.bint, limits: Limits):
    """Members with scores, in any order."""
    count: cython.Py_ssize_t = source.read_count()
    if count == 0:
        raise EmptyValue("Zset")
    if count <= limits.zset_max_listpack_entries:
        return read_small_sorted_set(source, binary, count, limits)
    made: SortedSet = SortedSet()
    made.grow()
    made.table.reserve(count)
    entries: cython.pointer[EntryPointer] = cython.cast(
        cython.pointer[EntryPointer], malloc(count * 8)
    )
    if entries is cython.NULL:
        raise MemoryError
    try:
        read_members(source, binary, count, made, entries)
    finally:
        free(entries)
    return made


@cython.cfunc
def read_small_sorted_set(
    source: Source, binary: cython.bint, count: cython.Py_ssize_t, limits: Limits
):
    """:func:`read_sorted_set` where the members may be few and short enough for a listpack."""
    pairs: list = []
    seen: set = set()
    while count > 0:
        count -= 1
        member: bytes = source.read_bytes()
        pairs.append((read_score(source, binary), member))
        seen.add(member)
    if len(seen) != len(pairs):
        raise Corrupt("Duplicate zset fields detected")
    pairs.sort()
    return of_sorted(pairs, limits)


@cython.cfunc
@cython.exceptval(-1)
def read_members(
    source: Source,
    binary: cython.bint,
    count: cython.Py_ssize_t,
    made: SortedSet,
    entries: cython.pointer[EntryPointer],
) -> cython.int:
    """Read members into the table, and then into the tree, the last one first: files have them in
    descending order, and a tree is built best in ascending order.
    """
    content = cython.declare(Content)
    entry: EntryPointer
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    hash: uint64_t
    score: cython.double
    word: int64_t = 0
    i: cython.Py_ssize_t
    for i in range(count):
        text = source.read_text(cython.address(length))
        text = source.retain(text, length)
        score = read_score(source, binary)
        hash = hash_text(text, length)
        if made.table.find(hash, text, length) is not cython.NULL:
            raise Corrupt("Duplicate zset fields detected")
        memcpy(cython.address(word), cython.address(score), 8)
        describe_integer(word, cython.address(content))
        entry = build(text, length, 0, -1, cython.address(content))
        made.table.insert(hash, entry)
        entries[i] = entry
    while count > 0:
        count -= 1
        made.enter(entries[count])
    return 0


@cython.cfunc
@cython.exceptval(-1, check=True)
def read_score(source: Source, binary: cython.bint) -> cython.double:
    """A score: eight bytes, or in old files its text behind its length."""
    score: cython.double
    text = cython.declare(cython.char[256])
    end: cython.p_char = cython.NULL
    length: cython.int
    if binary:
        score = source.read_double()
    else:
        length = source.read_byte()
        if length == 255:
            return -INFINITY
        if length == 254:
            return INFINITY
        if length == 253:
            score = NAN
        else:
            memcpy(text, source.take(length), length)
            text[length] = 0
            score = strtod(text, cython.address(end))
            if end == cython.cast(cython.p_char, text):
                raise Corrupt("Zset with a score that is no number")
    if isnan(score):
        raise Corrupt("Zset with NAN score detected")
    return score


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenSortedSet(FrozenMembers):
    """The members of a big sorted set."""

    def type_of(self, version):
        """Single members."""
        return ZSET_2

    def put_part(self, record, compressing, part):
        """Write a member with its score."""
        member: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], part)
        record.put_text(key_of(member), key_length(member))
        return record.put_word(word_of(member))

    def rewrite_part(self, commands, key, part):
        """Write the command that adds a member."""
        member: cython.pointer[Entry] = cython.cast(cython.pointer[Entry], part)
        return commands.put([b"ZADD", key, format_float(score_of(member)), read_key(member)])
