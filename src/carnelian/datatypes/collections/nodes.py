"""The nodes of a quicklist, and places in them to read from.

A node is a listpack, or one element on its own where that is large; either may be an LZF stream.
Listpacks are in the slim form until somebody comes to them from behind.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms import lzf
from cython.cimports.carnelian.datatypes.base.memory import allocate, release
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.base.slabs import cell_memory, cell_size, give, take
from cython.cimports.carnelian.datatypes.base.string import format_integer, parse_integer
from cython.cimports.carnelian.datatypes.collections.nodes import (
    Cursor,
    Needle,
    Node,
    NodePointer,
    pack_of,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import (
    Bytes,
    Item,
    Pack,
    end_of,
    full_size,
    is_slim,
)
from cython.cimports.carnelian.datatypes.packs.slim import duplicate_full, widen
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import uint8_t, uint32_t
from cython.cimports.libc.string import memcmp, memcpy, memset

# What a stream has to be worth: bytes of a node, bytes saved.
LEAST_COMPRESSED = cython.declare(cython.Py_ssize_t, 48)
LEAST_SAVED = cython.declare(cython.Py_ssize_t, 8)


# -- Making and freeing --------------------------------------------------------------------------


def make_node() -> cython.pointer[Node]:
    """An empty node that stands nowhere."""
    node: NodePointer = cython.cast(NodePointer, take(cython.sizeof(Node)))
    memset(node, 0, cython.sizeof(Node))
    return node


def free_node(node: cython.pointer[Node]) -> cython.void:
    """Free a node and what it holds."""
    if node.data is not cython.NULL:
        if node.stream:
            give(node.data, node.stream)
        else:
            free_content(node.data, node)
    give(node, cython.sizeof(Node))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def free_content(data: cython.p_void, node: NodePointer) -> cython.void:
    """Free the uncompressed content of a node."""
    if node.plain:
        give(data, node.size)
    else:
        listpack.destroy(cython.cast(Pack, data))


@cython.cfunc
@cython.exceptval(check=True)
def unpacked(node: NodePointer) -> cython.p_void:
    """The content of a compressed node, in memory of its own."""
    room: cython.p_void = take(node.size) if node.plain else listpack.blank(node.size)
    size: cython.size_t = lzf.unpack(
        cython.cast(Bytes, node.data),
        node.stream,
        cython.cast(cython.pointer[uint8_t], room),
        node.size,
    )
    if size != cython.cast(cython.size_t, node.size):
        raise ValueError("damaged node of a list")
    return room


def decompress(node: cython.pointer[Node]) -> cython.int:
    """Make a node what it was before it was compressed."""
    if node.stream:
        data: cython.p_void = unpacked(node)
        give(node.data, node.stream)
        node.data = data
        node.stream = 0
    return 0


def compress(node: cython.pointer[Node]) -> cython.int:
    """Compress a node unless it is too small or does not get small enough."""
    if node.stream or node.size < LEAST_COMPRESSED:
        return 0
    if not node.plain:
        # Streams go to files as they are, where all listpacks are full.
        widen(pack_of(node))
    room: cython.p_void = allocate(node.size)
    size: cython.Py_ssize_t = lzf.pack(
        cython.cast(Bytes, node.data),
        node.size,
        cython.cast(cython.pointer[uint8_t], room),
        node.size,
    )
    if size and size + LEAST_SAVED < node.size:
        data: cython.p_void = take(size)
        memcpy(data, room, size)
        free_content(node.data, node)
        node.data = data
        node.stream = size
    release(room)
    return 0


def memory_of(node: cython.pointer[cython.const[Node]]) -> cython.Py_ssize_t:
    """Bytes that a node takes, with what it holds."""
    size: cython.Py_ssize_t = cell_size(cython.sizeof(Node))
    content: cython.Py_ssize_t
    if node.plain or node.stream:
        content = node.stream if node.stream else node.size
        return size + cell_memory(node.data, content)
    return size + listpack.memory_of(cython.cast(Pack, node.data))


# -- Reading -------------------------------------------------------------------------------------


def enter(cursor: cython.pointer[Cursor], node: cython.pointer[Node]) -> cython.int:
    """Make a node readable, at no place in it yet."""
    cursor.node = node
    cursor.at = 0
    cursor.pack = cython.NULL
    if node.stream:
        cursor.pack = cython.cast(Pack, unpacked(node))
    elif not node.plain:
        cursor.pack = cython.cast(Pack, node.data)
    return 0


def leave(cursor: cython.pointer[Cursor]) -> cython.void:
    """Give up the place; to be called when reading ends, also by an exception."""
    if has_copy(cursor):
        free_content(cursor.pack, cursor.node)
    cursor.pack = cython.NULL


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def has_copy(cursor: cython.pointer[cython.const[Cursor]]) -> cython.bint:
    """Whether what is read is a copy, and belongs to the cursor."""
    return (
        cursor.node is not cython.NULL
        and cursor.pack is not cython.NULL
        and cython.cast(cython.p_void, cursor.pack) != cursor.node.data
    )


def move(cursor: cython.pointer[Cursor], forward: cython.bint) -> cython.bint:
    """Go to the next or the previous element; returns whether there is one."""
    if cursor.at and cursor.pack is not cython.NULL:
        if forward:
            cursor.at = listpack.after(cursor.pack, cursor.at)
        else:
            cursor.at = listpack.before(cursor.pack, cursor.at)
        if cursor.at:
            return True
    return move_on(cursor, forward)


def move_on(cursor: cython.pointer[Cursor], forward: cython.bint) -> cython.bint:
    """Go to the next node, or to the last element of the previous; returns whether there is one."""
    node: NodePointer = cursor.node
    if node is cython.NULL:
        return False
    leave(cursor)
    node = node.next if forward else node.previous
    cursor.node = node
    if node is cython.NULL:
        return False
    enter(cursor, node)
    if not forward and not node.plain and is_slim(cursor.pack):
        cursor.pack = duplicate_full(cursor.pack)
    go_to_end(cursor, not forward)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def go_to_end(cursor: cython.pointer[Cursor], last: cython.bint) -> cython.void:
    """Go to the first or the last element of the node."""
    if cursor.node.plain:
        cursor.at = 0
    elif last:
        cursor.at = listpack.last(cursor.pack)
    else:
        cursor.at = listpack.first(cursor.pack)


def read(cursor: cython.pointer[cython.const[Cursor]], item: cython.pointer[Item]) -> cython.bint:
    """Read the element at a place, valid until the list changes or the cursor moves."""
    if cursor.node is not cython.NULL and cursor.node.plain:
        item.text = cython.cast(cython.p_const_char, cursor.node.data)
        if cursor.pack is not cython.NULL:
            item.text = cython.cast(cython.p_const_char, cursor.pack)
        item.length = cursor.node.size
        return True
    return listpack.read(cursor.pack, cursor.at, item)


def pour(cursor: cython.pointer[Cursor], count: cython.Py_ssize_t, sink: Sink) -> cython.int:
    """Pour so many elements, which are there, from the place on; the cursor is left. O(count)."""
    item = cython.declare(Item)
    try:
        while count > 0:
            if cursor.pack is not cython.NULL and not (
                cursor.node is not cython.NULL and cursor.node.plain
            ):
                count = listpack.pour(cursor.pack, cursor.at, count, sink)
            else:
                read(cursor, cython.address(item))
                sink.text(item.text, item.length)
                count -= 1
            if count and not move_on(cursor, True):
                break
    finally:
        leave(cursor)
    return 0


def item_bytes(item: cython.pointer[cython.const[Item]]) -> bytes:
    """The text of an element."""
    digits = cython.declare(cython.char[24])
    if item.text is cython.NULL:
        return PyBytes_FromStringAndSize(digits, format_integer(item.number, digits))
    return PyBytes_FromStringAndSize(item.text, item.length)


def needle_of(text: bytes) -> Needle:
    """A text to compare elements with; it has to live as long."""
    needle = cython.declare(Needle)
    needle.text = PyBytes_AS_STRING(text)
    needle.length = PyBytes_GET_SIZE(text)
    needle.number = 0
    needle.is_number = needle.length <= 20 and parse_integer(
        needle.text, needle.length, cython.address(needle.number)
    )
    return needle


def is_needle(
    item: cython.pointer[cython.const[Item]], needle: cython.pointer[cython.const[Needle]]
) -> cython.bint:
    """Whether the element is that text."""
    if item.text is cython.NULL:
        return needle.is_number and item.number == needle.number
    return item.length == needle.length and memcmp(item.text, needle.text, item.length) == 0


# -- Changing one node ---------------------------------------------------------------------------


def open_at(cursor: cython.pointer[Cursor]) -> cython.void:
    """Let the node of a cursor be changed: what was read from a copy is the content from now on."""
    node: NodePointer = cursor.node
    if has_copy(cursor):
        if node.stream:
            give(node.data, node.stream)
        else:
            free_content(node.data, node)
        node.stream = 0
        node.data = cursor.pack


def holds(node: cython.pointer[Node], needle: cython.pointer[cython.const[Needle]]) -> cython.bint:
    """Whether an element of a node is that text."""
    cursor = cython.declare(Cursor)
    item = cython.declare(Item)
    found: cython.bint
    enter(cython.address(cursor), node)
    if node.plain:
        read(cython.address(cursor), cython.address(item))
        found = is_needle(cython.address(item), needle)
    else:
        found = next_equal(cursor.pack, listpack.first(cursor.pack), needle) != 0
    leave(cython.address(cursor))
    return found


def is_edge(cursor: cython.pointer[cython.const[Cursor]], after: cython.bint) -> cython.bint:
    """Whether no element of the node is after, or before, that of the cursor."""
    if cursor.node.plain:
        return True
    if after:
        return listpack.after(cursor.pack, cursor.at) == 0
    return cursor.at == listpack.HEADER


def behind(cursor: cython.pointer[cython.const[Cursor]]) -> cython.Py_ssize_t:
    """The offset behind the element of the cursor."""
    return cursor.at + listpack.size_at(cursor.pack, cursor.at)


def place_in(node: cython.pointer[Node], pack: Pack, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The offset of an element of a node, the content of which is ``pack``, by its index.

    O(distance to an end), in a slim listpack to the nearer of the beginning and the middle before.
    """
    half: cython.Py_ssize_t = node.count >> 1
    if index < half or not is_slim(pack):
        return listpack.seek(pack, index)
    if node.half == 0:
        node.half = cython.cast(uint32_t, listpack.seek(pack, half))
    return listpack.skip(pack, node.half, index - half)


def note_size(node: cython.pointer[Node]) -> cython.void:
    """The listpack of a node, which is not compressed, has changed."""
    node.size = full_size(pack_of(node)[0])
    node.half = 0


def replace_in(node: cython.pointer[Node], at: cython.Py_ssize_t, text: bytes) -> cython.int:
    """Replace the element of a node at an offset. The middle element may move, but is the same."""
    pack: cython.pointer[Pack] = pack_of(node)
    half: cython.Py_ssize_t = node.half
    old: cython.Py_ssize_t = end_of(pack[0])
    listpack.replace(pack, at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    note_size(node)
    if at < half:
        half += end_of(pack[0]) - old
    node.half = cython.cast(uint32_t, half)
    return 0


def put_in(node: cython.pointer[Node], at: cython.Py_ssize_t, text: bytes) -> cython.int:
    """Insert an element into a node at an offset, at the end if that is below 0."""
    pack: cython.pointer[Pack] = pack_of(node)
    if at < 0:
        at = end_of(pack[0])
    listpack.insert(pack, at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    note_size(node)
    node.count += 1
    return 0


def strip_pack(
    pack: cython.pointer[Pack],
    needle: cython.pointer[cython.const[Needle]],
    most: cython.Py_ssize_t,
    forward: cython.bint,
) -> cython.Py_ssize_t:
    """Remove up to ``most`` elements that are a text from a listpack; returns how many."""
    removed: cython.Py_ssize_t = 0
    passed: cython.Py_ssize_t = 0 if forward else count_equal(pack[0], needle) - most
    at: cython.Py_ssize_t = next_equal(pack[0], listpack.first(pack[0]), needle)
    while at and removed < most:
        if passed > 0:
            passed -= 1
            at = listpack.after(pack[0], at)
        else:
            at = listpack.remove(pack, at)
            removed += 1
        at = next_equal(pack[0], at, needle)
    return removed


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def next_equal(
    pack: Bytes, at: cython.Py_ssize_t, needle: cython.pointer[cython.const[Needle]]
) -> cython.Py_ssize_t:
    """The offset of the first element from ``at`` on that is a text; 0 if there is none."""
    return listpack.find(pack, at, needle.text, needle.length, 0) if at else 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def count_equal(pack: Bytes, needle: cython.pointer[cython.const[Needle]]) -> cython.Py_ssize_t:
    """How many elements are a text."""
    found: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = next_equal(pack, listpack.first(pack), needle)
    while at:
        found += 1
        at = next_equal(pack, listpack.after(pack, at), needle)
    return found
