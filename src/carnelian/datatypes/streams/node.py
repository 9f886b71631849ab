"""The nodes of a stream: some dozens of entries in one listpack, laid out as Redis does.

A listpack begins with the master entry: how many entries are there, how many are marked as deleted,
the number of fields of the first entry, their names, and a 0. Each entry follows as its flags
(1: deleted, 2: it has the fields of the master entry), its id relative to that of the node, the
number of fields unless they are the master's, fields and values (or only values), and the number of
all these elements, to walk backwards by.

Room for growth is held only in the node that entries are added to; ``fit`` gives it back.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.slabs import cell_memory, cell_size, give, take
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import (
    HEADER,
    Bytes,
    Item,
    Pack,
    end_of,
    read_on,
    seal,
    size_at,
    total_of,
    write_integer,
    write_text,
)
from cython.cimports.carnelian.datatypes.streams.ids import Id, compare
from cython.cimports.carnelian.datatypes.streams.node import (
    Entry,
    EntryPointer,
    Head,
    Node,
    NodePointer,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint8_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy, memmove

DELETED = cython.declare(cython.int, 1)
SAME_FIELDS = cython.declare(cython.int, 2)

# Instead of a number of elements that two bytes cannot hold.
MANY = cython.declare(cython.Py_ssize_t, 65535)
# An element takes at most so much beside its text, and an entry beside its fields and values.
BESIDE_TEXT = cython.declare(cython.Py_ssize_t, 10)
BESIDE_FIELDS = cython.declare(cython.Py_ssize_t, 60)
# Memory is doubled up to that size.
DOUBLED = cython.declare(cython.Py_ssize_t, 4096)

# -- Memory --------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def move_to(node: NodePointer, room: cython.Py_ssize_t) -> cython.int:
    """Let the listpack have that many bytes."""
    fresh: Pack = cython.cast(Pack, take(room))
    memcpy(fresh, node.pack, min(room, total_of(node.pack)))
    give(node.pack, node.room)
    node.pack = fresh
    node.room = cython.cast(uint32_t, room)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def reserve(node: NodePointer, needed: cython.Py_ssize_t) -> cython.int:
    """Have at least so many bytes; grows by leaps, so that appending is O(1) amortized."""
    room: cython.Py_ssize_t = node.room
    if needed > room:
        leap: cython.Py_ssize_t = room * 2 if room < DOUBLED else room + room // 8
        move_to(node, cell_size(max(needed, leap)))
    return 0


def fit(node: cython.pointer[Node]) -> cython.int:
    """Give back the bytes that are held in reserve."""
    exact: cython.Py_ssize_t = cell_size(total_of(node.pack))
    if exact != node.room:
        move_to(node, exact)
    return 0


def duplicate(node: cython.pointer[Node], other: cython.pointer[cython.const[Node]]) -> cython.int:
    """Give a node a copy of the listpack of another."""
    room: cython.Py_ssize_t = cell_size(total_of(other.pack))
    node.pack = cython.cast(Pack, take(room))
    node.room = cython.cast(uint32_t, room)
    node.number = 0
    memcpy(node.pack, other.pack, total_of(other.pack))
    return 0


def free_node(node: cython.pointer[Node]) -> cython.void:
    """Give the listpack back."""
    give(node.pack, node.room)


def memory_of(node: cython.pointer[cython.const[Node]]) -> cython.Py_ssize_t:
    """Bytes of memory of the listpack."""
    return cell_memory(node.pack, node.room)


# -- Reading -------------------------------------------------------------------------------------


def read_head(pack: Bytes, head: cython.pointer[Head]) -> cython.bint:
    """Read the master entry; returns whether it is one."""
    item = cython.declare(Item)
    at: cython.Py_ssize_t = HEADER
    _i: int64_t
    size: cython.Py_ssize_t
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    head.live = item.number
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    head.deleted = item.number
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    head.fields = item.number
    head.names = at
    for _i in range(head.fields + 1):
        size = size_at(pack, at)
        if size == 0:
            return False
        at += size
    head.entries = at
    return True


def read_entry(
    node: cython.pointer[cython.const[Node]],
    head: cython.pointer[cython.const[Head]],
    at: cython.Py_ssize_t,
    entry: cython.pointer[Entry],
) -> cython.bint:
    """Read the entry at an offset but for its fields and values; returns whether there is one."""
    item = cython.declare(Item)
    pack: Bytes = node.pack
    entry.at = at
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    entry.deleted = (item.number & DELETED) != 0
    entry.same = (item.number & SAME_FIELDS) != 0
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    entry.id.ms = node.first.ms + cython.cast(uint64_t, item.number)
    at = read_on(pack, at, cython.address(item))
    if at == 0 or item.text is not cython.NULL:
        return False
    entry.id.seq = node.first.seq + cython.cast(uint64_t, item.number)
    entry.fields = head.fields
    if not entry.same:
        at = read_on(pack, at, cython.address(item))
        if at == 0 or item.text is not cython.NULL:
            return False
        entry.fields = item.number
    entry.body = at
    return True


def behind(pack: Bytes, entry: cython.pointer[cython.const[Entry]]) -> cython.Py_ssize_t:
    """Offset of what follows an entry, which may be the end; 0 if it is not whole."""
    left: int64_t = entry.fields if entry.same else entry.fields * 2
    at: cython.Py_ssize_t = entry.body
    size: cython.Py_ssize_t
    while left >= 0:
        size = size_at(pack, at)
        if size == 0:
            return 0
        at += size
        left -= 1
    return at


def entry_before(
    pack: Bytes, head: cython.pointer[cython.const[Head]], at: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Offset of the entry that ends at ``at``, which may be the end; 0 if there is none."""
    item = cython.declare(Item)
    if at <= head.entries:
        return 0
    at = listpack.before(pack, at)
    if at == 0 or not listpack.read(pack, at, cython.address(item)):
        return 0
    if item.text is not cython.NULL:
        return 0
    while item.number > 0 and at > head.entries:
        at = listpack.before(pack, at)
        item.number -= 1
    return at if at >= head.entries else 0


def last_id(node: cython.pointer[cython.const[Node]], id: cython.pointer[Id]) -> cython.bint:
    """The id of the last entry, deleted or not; returns whether there is one."""
    head = cython.declare(Head)
    entry = cython.declare(Entry)
    at: cython.Py_ssize_t
    if not read_head(node.pack, cython.address(head)):
        return False
    at = entry_before(node.pack, cython.address(head), end_of(node.pack))
    if not at or not read_entry(node, cython.address(head), at, cython.address(entry)):
        return False
    id[0] = entry.id
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def raise_id(node: cython.pointer[cython.const[Node]], id: cython.pointer[Id]) -> cython.void:
    """Have an id be no lower than that of the last entry, deleted or not."""
    highest = cython.declare(Id)
    if not last_id(node, cython.address(highest)):
        highest = node.first
    if compare(id, cython.address(highest)) < 0:
        id[0] = highest


# -- Writing -------------------------------------------------------------------------------------


@cython.cfunc
@cython.exceptval(-1)
def most_bytes(words: list, start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """What the words from ``start`` on can take as elements at most."""
    size: cython.Py_ssize_t = BESIDE_FIELDS + BESIDE_TEXT * (len(words) - start)
    i: cython.Py_ssize_t
    word: bytes
    for i in range(start, len(words)):
        word = words[i]
        size += PyBytes_GET_SIZE(word)
    return size


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def write_word(to: cython.pointer[uint8_t], word: bytes) -> cython.Py_ssize_t:
    return write_text(to, PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word))


def start_node(
    node: cython.pointer[Node], words: list, start: cython.Py_ssize_t, room: cython.Py_ssize_t
) -> cython.int:
    """Make the listpack of a node, with the fields among the words as those of its master entry.

    ``room`` is how many bytes it is likely to take in the end.
    """
    fields: cython.Py_ssize_t = (len(words) - start) // 2
    at: cython.Py_ssize_t = HEADER
    i: cython.Py_ssize_t
    room = cell_size(max(room, HEADER + most_bytes(words, start)))
    pack: Pack = cython.cast(Pack, take(room))
    at += write_integer(pack + at, 0)
    at += write_integer(pack + at, 0)
    at += write_integer(pack + at, fields)
    for i in range(fields):
        at += write_word(pack + at, words[start + 2 * i])
    at += write_integer(pack + at, 0)
    seal(pack, at + 1, min(fields + 4, MANY))
    node.pack = pack
    node.room = cython.cast(uint32_t, room)
    node.number = 0
    return 0


@cython.cfunc
@cython.exceptval(-1)
def has_names(
    pack: Bytes, head: cython.pointer[Head], words: list, start: cython.Py_ssize_t
) -> cython.bint:
    """Whether the fields among the words are those of the master entry."""
    at: cython.Py_ssize_t = head.names
    i: cython.Py_ssize_t
    word: bytes
    if (len(words) - start) // 2 != head.fields:
        return False
    for i in range(start, len(words), 2):
        word = words[i]
        if not listpack.equals(pack, at, PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word)):
            return False
        at += size_at(pack, at)
    return True


def append_entry(
    node: cython.pointer[Node],
    id: cython.pointer[cython.const[Id]],
    words: list,
    start: cython.Py_ssize_t,
) -> cython.int:
    """Add an entry behind the last one; the words from ``start`` on are its fields and values."""
    head = cython.declare(Head)
    elements: cython.Py_ssize_t = len(words) - start
    at: cython.Py_ssize_t = end_of(node.pack)
    stated: cython.Py_ssize_t = node.pack[4] | node.pack[5] << 8
    i: cython.Py_ssize_t
    reserve(node, at + most_bytes(words, start))
    pack: Pack = node.pack
    read_head(pack, cython.address(head))
    same: cython.bint = has_names(pack, cython.address(head), words, start)
    at += write_integer(pack + at, SAME_FIELDS if same else 0)
    at += write_integer(pack + at, cython.cast(int64_t, id.ms - node.first.ms))
    at += write_integer(pack + at, cython.cast(int64_t, id.seq - node.first.seq))
    if same:
        elements //= 2
        for i in range(start + 1, len(words), 2):
            at += write_word(pack + at, words[i])
    else:
        at += write_integer(pack + at, elements // 2)
        for i in range(start, len(words)):
            at += write_word(pack + at, words[i])
        elements += 1
    elements += 3
    at += write_integer(pack + at, elements)
    seal(pack, at + 1, MANY if stated == MANY else min(stated + elements + 1, MANY))
    return set_counts(node, head.live + 1, head.deleted)


def set_counts(node: cython.pointer[Node], live: int64_t, deleted: int64_t) -> cython.int:
    """Write the numbers of entries into the master entry."""
    text = cython.declare(uint8_t[20])
    old: cython.Py_ssize_t = size_at(node.pack, HEADER)
    old += size_at(node.pack, HEADER + old)
    size: cython.Py_ssize_t = write_integer(text, live)
    size += write_integer(text + size, deleted)
    if size != old:
        total: cython.Py_ssize_t = total_of(node.pack)
        reserve(node, total + size - old)
        memmove(node.pack + HEADER + size, node.pack + HEADER + old, total - HEADER - old)
        seal(node.pack, total + size - old, node.pack[4] | node.pack[5] << 8)
    memcpy(node.pack + HEADER, text, size)
    return 0


def mark_deleted(
    node: cython.pointer[Node], entry: cython.pointer[cython.const[Entry]]
) -> cython.int:
    """Mark an entry as deleted; the counts are for the caller to change."""
    # Flags are small enough to be written in the byte itself.
    node.pack[entry.at] |= DELETED
    return 0


# -- From elsewhere ------------------------------------------------------------------------------


def adopt(node: cython.pointer[Node], data: Bytes, length: cython.Py_ssize_t) -> cython.int:
    """Copy a listpack that comes from elsewhere; raises ValueError if it is no node of a stream."""
    if not listpack.is_valid(data, length):
        raise ValueError("not a listpack")
    room: cython.Py_ssize_t = cell_size(length)
    node.pack = cython.cast(Pack, take(room))
    node.room = cython.cast(uint32_t, room)
    memcpy(node.pack, data, length)
    if not is_node(node):
        give(node.pack, node.room)
        raise ValueError("not a node of a stream")
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_node(node: NodePointer) -> cython.bint:
    """Whether a sound listpack is laid out as a node, each entry looked at."""
    head = cython.declare(Head)
    entry = cython.declare(Entry)
    at: cython.Py_ssize_t
    end: cython.Py_ssize_t
    live: int64_t = 0
    deleted: int64_t = 0
    previous: Id = node.first
    if not read_head(node.pack, cython.address(head)) or head.fields < 0:
        return False
    at = head.entries
    end = end_of(node.pack)
    if node.pack[at - 2] != 0:
        return False
    while at < end:
        if not read_entry(node, cython.address(head), at, cython.address(entry)):
            return False
        if entry.fields < 0 or node.pack[entry.at] > 3:
            return False
        if live + deleted > 0 and not is_before(cython.address(previous), cython.address(entry.id)):
            return False
        previous = entry.id
        at = behind(node.pack, cython.address(entry))
        if at == 0 or not is_counted(node.pack, at, cython.address(entry)):
            return False
        deleted += entry.deleted
        live += not entry.deleted
    return live == head.live and deleted == head.deleted


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_counted(pack: Bytes, end: cython.Py_ssize_t, entry: EntryPointer) -> cython.bint:
    """Whether the last element of an entry, which ends there, is the number of the others."""
    item = cython.declare(Item)
    at: cython.Py_ssize_t = listpack.before(pack, end)
    expected: int64_t = entry.fields + 3 if entry.same else 2 * entry.fields + 4
    return (
        at != 0
        and listpack.read(pack, at, cython.address(item))
        and item.text is cython.NULL
        and item.number == expected
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_before(one: cython.pointer[Id], other: cython.pointer[Id]) -> cython.bint:
    return one.ms < other.ms or (one.ms == other.ms and one.seq < other.seq)
