"""Values on their way out: each as its RDB type, and the bytes of that.

Values are written from their raw memory. No Python object is made, and none has its reference count
touched on the way: a forked process would copy the page that it stands on.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes import intset, listpack, member_blocks, ordered
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
    reference_of,
    value_of,
    word_of,
)
from cython.cimports.carnelian.datatypes.hash import Hash
from cython.cimports.carnelian.datatypes.list import List
from cython.cimports.carnelian.datatypes.listpack import DIGITS
from cython.cimports.carnelian.datatypes.nodes import NodePointer
from cython.cimports.carnelian.datatypes.ordered import Cursor, item_at
from cython.cimports.carnelian.datatypes.set import Set
from cython.cimports.carnelian.datatypes.slim import duplicate_full
from cython.cimports.carnelian.datatypes.sorted_set import SortedSet
from cython.cimports.carnelian.datatypes.stream import Stream
from cython.cimports.carnelian.datatypes.string import StringBuffer
from cython.cimports.carnelian.datatypes.walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.persistence.formats import (
    HASH,
    HASH_LISTPACK,
    HASH_LISTPACK_TIMES,
    HASH_TIMES,
    LIST_QUICKLIST_2,
    OLDEST,
    PACKED,
    PLAIN,
    SET,
    SET_INTSET,
    SET_LISTPACK,
    STRING,
    WITH_IDEMPOTENCY,
    WITH_PACKED_SETS,
    WITH_RELEASED,
    WITH_TIMES,
    ZSET_2,
    ZSET_LISTPACK,
)
from cython.cimports.carnelian.persistence.objects import ClassPointer, ObjectPointer, class_of
from cython.cimports.carnelian.persistence.sink import Sink
from cython.cimports.carnelian.persistence.streams import put_stream, stream_type
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memcpy

# The classes, as addresses to compare with.
LISTS = cython.declare(ClassPointer, cython.cast(ClassPointer, List))
SETS = cython.declare(ClassPointer, cython.cast(ClassPointer, Set))
HASHES = cython.declare(ClassPointer, cython.cast(ClassPointer, Hash))
SORTED_SETS = cython.declare(ClassPointer, cython.cast(ClassPointer, SortedSet))

STREAMS = cython.declare(ClassPointer, cython.cast(ClassPointer, Stream))

NEVER = cython.declare(int64_t, 0x7FFFFFFFFFFFFFFF)


def put_type(sink, entry):
    """Write the type byte of a value."""
    value: ObjectPointer
    class_: ClassPointer
    if entry.kind <= BUFFER:
        return sink.put_byte(STRING)
    value = cython.cast(ObjectPointer, reference_of(entry))
    class_ = class_of(value)
    if class_ == HASHES:
        return sink.put_byte(hash_type(value))
    if class_ == SETS:
        return sink.put_byte(set_type(value, sink.version))
    if class_ == LISTS:
        return sink.put_byte(LIST_QUICKLIST_2)
    if class_ == SORTED_SETS:
        small: cython.bint = cython.cast(SortedSet, value).pack is not cython.NULL
        return sink.put_byte(ZSET_LISTPACK if small else ZSET_2)
    if class_ == STREAMS:
        return sink.put_byte(stream_type(sink.version, value))
    raise TypeError(f"a value of type {type(cython.cast(object, value)).__name__} has no RDB form")


def put_value(sink, entry):
    """Write a value, without its type."""
    value: ObjectPointer
    class_: ClassPointer
    if entry.kind == INLINE:
        return sink.put_text(value_of(entry), entry.length)
    if entry.kind == INTEGER:
        return sink.put_integer(word_of(entry))
    value = cython.cast(ObjectPointer, reference_of(entry))
    if entry.kind == BYTES:
        return sink.put_text(
            PyBytes_AS_STRING(cython.cast(bytes, value)),
            PyBytes_GET_SIZE(cython.cast(bytes, value)),
        )
    if entry.kind == BUFFER:
        return sink.put_text(
            cython.cast(StringBuffer, value).data, cython.cast(StringBuffer, value).length
        )
    class_ = class_of(value)
    if class_ == HASHES:
        return put_hash(sink, value)
    if class_ == SETS:
        return put_set(sink, value)
    if class_ == LISTS:
        return put_list(sink, value)
    if class_ == STREAMS:
        return put_stream(sink, value)
    return put_sorted_set(sink, value)


def needed_version(entry):
    """The lowest RDB version that has a form for this value."""
    value: ObjectPointer
    if entry.kind > BUFFER:
        value = cython.cast(ObjectPointer, reference_of(entry))
        if class_of(value) == HASHES and hash_type(value) in (HASH_TIMES, HASH_LISTPACK_TIMES):
            return WITH_TIMES
        if class_of(value) == STREAMS:
            return version_of_stream(value)
    return OLDEST


@cython.cfunc
@cython.exceptval(-1)
def version_of_stream(value: ObjectPointer) -> cython.int:
    if cython.cast(Stream, value).has_released():
        return WITH_RELEASED
    return OLDEST if cython.cast(Stream, value).idempotency is None else WITH_IDEMPOTENCY


def version_of_streams(store, lowest):
    """The lowest RDB version from ``lowest`` on that has forms for all streams of a database."""
    for value in store.streams_of_newer_forms():
        lowest = max(lowest, version_of_stream(cython.cast(ObjectPointer, value)))
    return lowest


@cython.cfunc
@cython.exceptval(-1)
def put_pack(sink: Sink, pack: listpack.Bytes) -> cython.int:
    """A listpack, in its full form, as a string."""
    full: listpack.Pack
    if listpack.is_slim(pack):
        full = duplicate_full(pack)
        try:
            return put_pack(sink, full)
        finally:
            listpack.destroy(full)
    return sink.put_text(cython.cast(cython.p_const_char, pack), listpack.total_of(pack))


# -- Lists ---------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def put_list(sink: Sink, value: ObjectPointer) -> cython.int:
    """The nodes; a list that is one listpack has one."""
    node: NodePointer
    if cython.cast(List, value).pack is not cython.NULL:
        sink.put_length(1)
        sink.put_length(PACKED)
        return put_pack(sink, cython.cast(List, value).pack)
    sink.put_length(cython.cast(List, value).chain.nodes)
    node = cython.cast(List, value).chain.head
    while node is not cython.NULL:
        put_node(sink, node.data, node.size, node.stream, node.plain)
        node = node.next
    return 0


def put_node(sink, data, size, stream, plain):
    """Write a node of a list: ``size`` bytes, compressed to ``stream`` unless that is 0."""
    sink.put_length(PLAIN if plain else PACKED)
    if stream:
        return sink.put_stream(data, stream, size)
    if not plain:
        return put_pack(sink, cython.cast(listpack.Bytes, data))
    return sink.put_text(cython.cast(cython.p_const_char, data), size)


# -- Sets ----------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def set_type(value: ObjectPointer, version: cython.int) -> cython.int:
    """Sets in listpacks came with version 11."""
    if cython.cast(Set, value).ints is not cython.NULL:
        return SET_INTSET
    if cython.cast(Set, value).pack is not cython.NULL and version >= WITH_PACKED_SETS:
        return SET_LISTPACK
    return SET


@cython.cfunc
@cython.exceptval(-1)
def put_set(sink: Sink, value: ObjectPointer) -> cython.int:
    """An intset, a listpack, or the number of members and each."""
    ints: intset.Ints = cython.cast(Set, value).ints
    pack: listpack.Pack = cython.cast(Set, value).pack
    digits = cython.declare(cython.char[DIGITS])
    text: cython.p_const_char = cython.NULL
    length: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t
    walk = cython.declare(member_blocks.Walk)
    if ints is not cython.NULL:
        return sink.put_text(cython.cast(cython.p_const_char, ints), intset.total_of(ints))
    if pack is cython.NULL:
        sink.put_length(cython.cast(Set, value).table.used)
        member_blocks.begin_walk(
            cython.address(walk),
            cython.cast(Set, value).table.segments,
            cython.cast(Set, value).table.buckets,
        )
        while member_blocks.walk_on(
            cython.address(walk), cython.address(text), cython.address(length)
        ):
            sink.put_text(text, length)
        return 0
    if sink.version >= WITH_PACKED_SETS:
        return put_pack(sink, pack)
    sink.put_length(listpack.count_of(pack))
    at = listpack.first(pack)
    while at:
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, at)
    return 0


# -- Hashes --------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(check=False)
def hash_type(value: ObjectPointer) -> cython.int:
    """A hash without a field that expires is as it was before there were any."""
    if cython.cast(Hash, value).pack is not cython.NULL:
        if cython.cast(ObjectPointer, cython.cast(Hash, value).times) == NOBODY:
            return HASH_LISTPACK
        if soonest_in_pack(cython.cast(Hash, value).pack) != NEVER:
            return HASH_LISTPACK_TIMES
        return HASH
    return HASH if soonest_in_table(value) == NEVER else HASH_TIMES


NOBODY = cython.declare(ObjectPointer, cython.cast(ObjectPointer, None))


@cython.cfunc
@cython.exceptval(check=False)
def walk_hash(walk: cython.pointer[Walk], value: ObjectPointer) -> cython.void:
    begin_walk(
        walk,
        cython.address(cython.cast(Hash, value).table.main),
        cython.address(cython.cast(Hash, value).table.target),
        cython.cast(Hash, value).table.position,
    )


@cython.cfunc
@cython.exceptval(check=False)
def soonest_in_table(value: ObjectPointer) -> int64_t:
    """When the first field of a table expires, NEVER if none does."""
    walk = cython.declare(Walk)
    entry: cython.pointer[Entry]
    soonest: int64_t = NEVER
    if cython.cast(ObjectPointer, cython.cast(Hash, value).times) == NOBODY:
        return NEVER
    walk_hash(cython.address(walk), value)
    entry = walk_on(cython.address(walk))
    while entry is not cython.NULL:
        if expires(entry) and expiry_of(entry) < soonest:
            soonest = expiry_of(entry)
        entry = walk_on(cython.address(walk))
    return soonest


@cython.cfunc
@cython.exceptval(check=False)
def soonest_in_pack(pack: listpack.Pack) -> int64_t:
    """When the first field of a listpack with times expires: they are in that order."""
    item = cython.declare(listpack.Item)
    at: cython.Py_ssize_t = listpack.first(pack)
    at = listpack.after(pack, listpack.after(pack, at))
    if listpack.read(pack, at, cython.address(item)) and item.text is cython.NULL and item.number:
        return item.number
    return NEVER


@cython.cfunc
@cython.exceptval(-1)
def put_hash(sink: Sink, value: ObjectPointer) -> cython.int:
    """A listpack, or the number of fields and each with its value; where fields expire, the first
    time comes before, and times of fields count from there.
    """
    pack: listpack.Pack = cython.cast(Hash, value).pack
    soonest: int64_t
    timed: cython.bint
    walk = cython.declare(Walk)
    entry: cython.pointer[Entry]
    if pack is not cython.NULL:
        if cython.cast(ObjectPointer, cython.cast(Hash, value).times) != NOBODY:
            if soonest_in_pack(pack) == NEVER:
                return put_fields(sink, pack)
            sink.put_word(soonest_in_pack(pack))
        return put_pack(sink, pack)
    soonest = soonest_in_table(value)
    timed = soonest != NEVER
    if timed:
        sink.put_word(soonest)
    sink.put_length(cython.cast(Hash, value).table.used)
    walk_hash(cython.address(walk), value)
    entry = walk_on(cython.address(walk))
    while entry is not cython.NULL:
        if timed:
            sink.put_length(expiry_of(entry) - soonest + 1 if expires(entry) else 0)
        sink.put_text(key_of(entry), key_length(entry))
        put_value(sink, entry)
        entry = walk_on(cython.address(walk))
    return 0


@cython.cfunc
@cython.exceptval(-1)
def put_fields(sink: Sink, pack: listpack.Pack) -> cython.int:
    """Fields and values of a listpack that has times, none of which is set."""
    digits = cython.declare(cython.char[DIGITS])
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = listpack.first(pack)
    sink.put_length(listpack.count_of(pack) // 3)
    while at:
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, at)
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, listpack.after(pack, at))
    return 0


# -- Sorted sets ---------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def put_sorted_set(sink: Sink, value: ObjectPointer) -> cython.int:
    """A listpack of pairs, or the number of members and each with its score, the highest first."""
    cursor = cython.declare(Cursor)
    entry: ordered.EntryPointer
    word: int64_t = 0
    if cython.cast(SortedSet, value).pack is not cython.NULL:
        return put_pack(sink, cython.cast(SortedSet, value).pack)
    sink.put_length(cython.cast(SortedSet, value).tree.count)
    ordered.seek(
        cython.cast(SortedSet, value).tree,
        cython.cast(SortedSet, value).tree.count - 1,
        cython.address(cursor),
    )
    while cursor.leaf is not cython.NULL:
        entry = item_at(cython.address(cursor)).entry
        sink.put_text(key_of(entry), key_length(entry))
        memcpy(cython.address(word), cython.address(item_at(cython.address(cursor)).score), 8)
        sink.put_word(word)
        ordered.step(cython.address(cursor), False)
    return 0
