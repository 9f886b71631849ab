"""Quicklists: long lists as a chain of nodes, most of them listpacks of some kilobytes.

A node takes elements up to a limit, ``list-max-listpack-size``; an element larger than that is a
node of its own. With ``list-compress-depth`` above 0 nodes are LZF streams unless they are as near
to an end as that. Where nodes are cut and merged is as in Redis, so that both make the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.datatypes.base.memory import count
from cython.cimports.carnelian.datatypes.base.slabs import take
from cython.cimports.carnelian.datatypes.collections import nodes
from cython.cimports.carnelian.datatypes.collections.nodes import (
    Cursor,
    Needle,
    Node,
    NodePointer,
    behind,
    compress,
    decompress,
    enter,
    free_node,
    holds,
    is_edge,
    is_late,
    leave,
    make_node,
    note_size,
    open_at,
    pack_of,
    place_in,
    put_in,
    replace_in,
    strip_pack,
)
from cython.cimports.carnelian.datatypes.packs import listpack
from cython.cimports.carnelian.datatypes.packs.listpack import Pack, full_size, is_slim
from cython.cimports.carnelian.datatypes.packs.slim import slim, widen
from cython.cimports.carnelian.datatypes.tables.table import Keeper
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.string import memcpy

# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 64)
# Sizes that negative values of list-max-listpack-size stand for.
SMALLEST = cython.declare(cython.Py_ssize_t, 4096)
LARGEST = cython.declare(cython.Py_ssize_t, 65536)
# Most bytes of a listpack where elements are counted; a single one may be as large, too.
SAFE = cython.declare(cython.Py_ssize_t, 8192)
# Bytes assumed for what a listpack adds to an element.
OVERHEAD = cython.declare(cython.Py_ssize_t, 8)
NO_LIMIT = cython.declare(cython.Py_ssize_t, cython.cast(cython.Py_ssize_t, 1) << 62)

# Nodes that are freed in one step.
NODES_PER_STEP = cython.declare(cython.Py_ssize_t, 64)

HIGHEST_FILL = cython.declare(cython.int, 32767)
LOWEST_FILL = cython.declare(cython.int, -5)
DEEPEST = cython.declare(cython.int, 65535)

_large_from = cython.declare(cython.Py_ssize_t, 0)


def set_large_from(size: cython.Py_ssize_t) -> None:
    """Give elements from that many bytes on nodes of their own; 0: those above a node's limit.

    For tests (DEBUG QUICKLIST-PACKED-THRESHOLD); it holds for all lists of the process.
    """
    global _large_from
    _large_from = size


# -- Limits --------------------------------------------------------------------------------------


def size_limit(fill: cython.int) -> cython.Py_ssize_t:
    """Bytes up to which a node takes elements."""
    if fill >= 0:
        return NO_LIMIT
    return SMALLEST << (-1 - max(fill, LOWEST_FILL))


def count_limit(fill: cython.int) -> cython.Py_ssize_t:
    """Elements that a node takes."""
    if fill < 0:
        return NO_LIMIT
    return max(fill, 1)


def exceeds(fill: cython.int, size: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.bint:
    """Whether that is too much for one listpack."""
    if fill < 0:
        return size > size_limit(fill)
    return size > SAFE or count > count_limit(fill)


@cython.final
@cython.no_gc
@cython.cclass
class Quicklist:
    """A chain of nodes.

    Args:
        fill: ``list-max-listpack-size``: elements of a node, or from -1 to -5 a size of 4 to 64 KB.
        depth: ``list-compress-depth``: nodes at each end that stay uncompressed; 0: all do.
    """

    def __cinit__(self, *limits: int):
        self.head = cython.NULL
        self.tail = cython.NULL
        self.nodes = 0
        self.count = 0
        self.keeper: Keeper | None = None
        count(SHELL)

    def __init__(self, fill: cython.int, depth: cython.int):
        self.fill = min(max(fill, LOWEST_FILL), HIGHEST_FILL)
        self.depth = min(max(depth, 0), DEEPEST)

    def __dealloc__(self):
        self.drain(self.nodes)
        count(-SHELL)

    def drain(self, nodes: cython.Py_ssize_t) -> cython.bint:
        """Free that many nodes from the end; returns whether there are more."""
        last: NodePointer
        while nodes > 0 and self.tail is not cython.NULL:
            last = self.tail
            self.tail = last.previous
            self.nodes -= 1
            self.count -= last.count
            free_node(last)
            nodes -= 1
        if self.tail is cython.NULL:
            self.head = cython.NULL
            return False
        self.tail.next = cython.NULL
        return True

    def free_some(self) -> cython.bint:
        """Free some nodes of a list that nobody uses any more; returns whether more are left."""
        return self.keeper is None and self.drain(NODES_PER_STEP)

    def keep(self, node: cython.pointer[Node]) -> cython.int:
        """Hand a node over that is about to change or to go, if it is still to be."""
        if self.keeper is not None and node.number:
            self.keeper.keep_block(node.number, node.data, node.size, node.stream, node.plain)
            node.number = 0
        return 0

    def copy(self) -> Quicklist:
        """Another list of the same nodes."""
        twin: Quicklist = Quicklist(self.fill, self.depth)
        node: NodePointer = self.head
        fresh: NodePointer
        while node is not cython.NULL:
            fresh = make_node()
            fresh.size = node.size
            fresh.count = node.count
            fresh.plain = node.plain
            fresh.previous = twin.tail
            if twin.tail is cython.NULL:
                twin.head = fresh
            else:
                twin.tail.next = fresh
            twin.tail = fresh
            twin.nodes += 1
            twin.count += node.count
            if node.stream or node.plain:
                fresh.data = take(node.stream if node.stream else node.size)
                memcpy(fresh.data, node.data, node.stream if node.stream else node.size)
                fresh.stream = node.stream
            else:
                fresh.data = listpack.duplicate(cython.cast(Pack, node.data))
            node = node.next
        return twin

    def memory(self) -> cython.Py_ssize_t:
        """Bytes held. O(nodes)."""
        size: cython.Py_ssize_t = SHELL
        node: NodePointer = self.head
        while node is not cython.NULL:
            size += nodes.memory_of(node)
            node = node.next
        return size

    def describe(self) -> Iterator[tuple[bool, int, int, int]]:
        """The nodes: whether plain, elements, bytes, bytes compressed (0: not compressed)."""
        node: NodePointer = self.head
        while node is not cython.NULL:
            yield bool(node.plain), node.count, node.size, node.stream
            node = node.next

    def details(self) -> bytes:
        """What DEBUG OBJECT says of the nodes."""
        size = sum(size for _, _, size, _ in self.describe())
        average: cython.double = cython.cast(cython.double, self.count) / self.nodes
        return (
            b" ql_nodes:%d ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d"
            b" ql_uncompressed_size:%d" % (self.nodes, average, self.fill, self.depth != 0, size)
        )

    # -- Whole nodes -----------------------------------------------------------------------------

    def append_pack(self, pack: Pack) -> cython.int:
        """Add a listpack, which belongs to the list from now on, as the last node."""
        node: NodePointer = make_node()
        node.data = pack
        node.size = full_size(pack)
        node.count = listpack.count_of(pack)
        self.count += node.count
        return self.link(node, self.tail, True)

    def only_pack(self) -> Pack:
        """Take the listpack out of the only node, or NULL if that is none."""
        if self.nodes != 1 or self.head.plain:
            return cython.NULL
        self.keep(self.head)
        decompress(self.head)
        pack: Pack = cython.cast(Pack, self.head.data)
        self.head.data = cython.NULL
        self.drain(1)
        return pack

    def new_node(self, text: bytes) -> cython.pointer[Node]:
        """A node of one element, plain if that is large."""
        node: NodePointer = make_node()
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
        node.count = 1
        if self.is_large(length):
            node.plain = True
            node.size = length
            node.data = take(length)
            memcpy(node.data, PyBytes_AS_STRING(text), length)
        else:
            node.data = listpack.create_slim()
            listpack.append(pack_of(node), PyBytes_AS_STRING(text), length)
            note_size(node)
        return node

    def link(
        self, node: cython.pointer[Node], beside: cython.pointer[Node], after: cython.bint
    ) -> cython.int:
        """Put a node after or before another one, or into an empty list; counts nodes only."""
        if beside is cython.NULL:
            self.head = node
            self.tail = node
        elif after:
            node.previous = beside
            node.next = beside.next
            beside.next = node
            if node.next is not cython.NULL:
                node.next.previous = node
            else:
                self.tail = node
        else:
            node.next = beside
            node.previous = beside.previous
            beside.previous = node
            if node.previous is not cython.NULL:
                node.previous.next = node
            else:
                self.head = node
        self.nodes += 1
        if self.depth:
            self.compress_changed(beside)
            self.compress_changed(node)
        return 0

    def unlink(self, node: cython.pointer[Node]) -> cython.int:
        """Remove a node and what it holds."""
        self.keep(node)
        if node.next is not cython.NULL:
            node.next.previous = node.previous
        else:
            self.tail = node.previous
        if node.previous is not cython.NULL:
            node.previous.next = node.next
        else:
            self.head = node.next
        self.nodes -= 1
        self.count -= node.count
        free_node(node)
        return self.compress_changed(cython.NULL)

    def compress_changed(self, node: cython.pointer[Node]) -> cython.int:
        """Compress a node that was changed if it is far enough from both ends; see to the nodes
        where that begins, too. Called after every change.
        """
        ahead: NodePointer = self.head
        behind: NodePointer = self.tail
        inner: cython.bint = node is not cython.NULL
        if self.depth == 0 or self.nodes == 0 or self.nodes < 2 * self.depth:
            return 0
        for _ in range(self.depth):
            decompress(ahead)
            decompress(behind)
            if node in (ahead, behind):
                inner = False
            if ahead == behind or ahead.next == behind:
                return 0
            ahead = ahead.next
            behind = behind.previous
        if inner:
            compress(node)
        compress(ahead)
        compress(behind)
        return 0

    # -- Ends ------------------------------------------------------------------------------------

    def is_large(self, length: cython.Py_ssize_t) -> cython.bint:
        """Whether an element of that length is a node of its own."""
        if _large_from:
            return length >= _large_from
        return length > (SAFE if self.fill >= 0 else size_limit(self.fill))

    def accepts(
        self, node: cython.pointer[cython.const[Node]], length: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether a node has room for one more element."""
        if node is cython.NULL or node.plain or self.is_large(length):
            return False
        return not exceeds(self.fill, node.size + length + OVERHEAD, node.count + 1)

    def push(self, text: bytes, at_head: cython.bint) -> cython.int:
        """Add an element at an end."""
        node: NodePointer = self.head if at_head else self.tail
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
        if self.accepts(node, length):
            self.keep(node)
            if at_head:
                listpack.prepend(pack_of(node), PyBytes_AS_STRING(text), length)
            else:
                listpack.append(pack_of(node), PyBytes_AS_STRING(text), length)
            note_size(node)
            node.count += 1
        else:
            self.link(self.new_node(text), node, not at_head)
        self.count += 1
        return 0

    def pop(self, at_head: cython.bint) -> bytes:
        """Remove the element at an end, of a list that is not empty, and return it."""
        node: NodePointer = self.head if at_head else self.tail
        text: bytes
        at: cython.Py_ssize_t
        if node.plain:
            text = PyBytes_FromStringAndSize(cython.cast(cython.p_char, node.data), node.size)
            self.unlink(node)
            return text
        pack: cython.pointer[Pack] = pack_of(node)
        if not at_head and is_slim(pack[0]) and is_late(node.count - 1, node.count):
            widen(pack)
        at = listpack.first(pack[0]) if at_head else listpack.last(pack[0])
        text = listpack.bytes_at(pack[0], at)
        if node.count == 1:
            self.unlink(node)
            return text
        self.keep(node)
        listpack.remove(pack, at)
        note_size(node)
        node.count -= 1
        self.count -= 1
        return text

    # -- Places ----------------------------------------------------------------------------------

    def seek(
        self, index: cython.Py_ssize_t, cursor: cython.pointer[Cursor], back: cython.bint
    ) -> cython.int:
        """Go to an element that is there, from where one may go on backwards quickly if ``back``.

        O(nodes to the nearer end + elements of a node).
        """
        node: NodePointer
        if index * 2 < self.count:
            node = self.head
            while index >= node.count:
                index -= node.count
                node = node.next
        else:
            node = self.tail
            index -= self.count - node.count
            while index < 0:
                node = node.previous
                index += node.count
        late: cython.bint = back or (node == self.tail and is_late(index, node.count))
        if late and not node.plain and not node.stream:
            widen(pack_of(node))
        enter(cursor, node)
        if not node.plain:
            cursor.at = place_in(node, cursor.pack, index)
        return 0

    def insert(self, cursor: cython.pointer[Cursor], text: bytes, after: cython.bint) -> cython.int:
        """Insert an element beside that of a cursor, which is left."""
        node: NodePointer = cursor.node
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
        if self.is_large(length):
            return self.insert_large(cursor, text, after)
        self.count += 1
        edge: cython.bint = is_edge(cursor, after)
        neighbour: NodePointer = node.next if after else node.previous
        self.keep(node)
        open_at(cursor)
        if self.accepts(node, length):
            put_in(node, behind(cursor) if after else cursor.at, text)
            return self.compress_changed(node)
        if not edge:
            rest: NodePointer = self.cut(node, cursor.at, after)
            put_in(rest, listpack.first(cython.cast(Pack, rest.data)) if after else -1, text)
            self.link(rest, node, after)
            self.merge_around(node)
            return 0
        if self.accepts(neighbour, length):
            self.keep(neighbour)
            decompress(neighbour)
            put_in(neighbour, listpack.HEADER if after else -1, text)
            self.compress_changed(neighbour)
            return self.compress_changed(node)
        return self.link(self.new_node(text), node, after)

    def insert_large(
        self, cursor: cython.pointer[Cursor], text: bytes, after: cython.bint
    ) -> cython.int:
        """As :meth:`insert`, for an element that is a node of its own."""
        node: NodePointer = cursor.node
        large: NodePointer = self.new_node(text)
        edge: cython.bint = node.plain or is_edge(cursor, after)
        self.count += 1
        self.keep(node)
        open_at(cursor)
        if edge:
            return self.link(large, node, after)
        rest: NodePointer = self.cut(node, cursor.at, after)
        self.link(large, node, after)
        return self.link(rest, large, after)

    def cut(
        self, node: cython.pointer[Node], at: cython.Py_ssize_t, keep_front: cython.bint
    ) -> cython.pointer[Node]:
        """Cut a node beside the element at an offset; the node keeps that element.

        Returns what is behind it if ``keep_front``, else what is before it, in a node that stands
        nowhere yet.
        """
        rest: NodePointer = make_node()
        pack: cython.pointer[Pack] = pack_of(node)
        elements: cython.Py_ssize_t = node.count
        tail: Pack
        if keep_front:
            at += listpack.size_at(pack[0], at)
        tail = listpack.split(pack, at)
        if keep_front:
            rest.data = tail
        else:
            rest.data = pack[0]
            node.data = tail
        note_size(node)
        node.count = listpack.count_of(pack[0])
        note_size(rest)
        rest.count = elements - node.count
        return rest

    def replace(self, cursor: cython.pointer[Cursor], text: bytes) -> cython.int:
        """Replace the element of a cursor, which is left."""
        node: NodePointer = cursor.node
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
        large: cython.bint = self.is_large(length)
        self.keep(node)
        open_at(cursor)
        if not node.plain and not large:
            replace_in(node, cursor.at, text)
            return self.compress_changed(node)
        if node.plain:
            # A plain node has one element: another node takes its place.
            self.insert(cursor, text, True)
            return self.unlink(node)
        fresh: NodePointer = self.new_node(text)
        rest: NodePointer = cython.NULL
        if not is_edge(cursor, True):
            rest = self.cut(node, cursor.at, True)
        self.link(fresh, node, True)
        if rest is not cython.NULL:
            self.link(rest, fresh, True)
        self.count += 1
        if node.count == 1:
            return self.unlink(node)
        decompress(node)
        listpack.remove(pack_of(node), listpack.last(pack_of(node)[0]))
        note_size(node)
        node.count -= 1
        self.count -= 1
        fresh = self.merge_around(fresh)
        self.compress_changed(fresh.previous)
        return self.compress_changed(fresh.next)

    # -- Merging ---------------------------------------------------------------------------------

    def may_merge(
        self, node: cython.pointer[cython.const[Node]], other: cython.pointer[cython.const[Node]]
    ) -> cython.bint:
        """Whether two nodes would fit one."""
        if node is cython.NULL or other is cython.NULL or node.plain or other.plain:
            return False
        size: cython.Py_ssize_t = node.size + other.size - listpack.HEADER - 1
        return not exceeds(self.fill, size, node.count + other.count)

    def merge_around(self, node: cython.pointer[Node]) -> cython.pointer[Node]:
        """Merge neighbours of a node, and then it with those, where they fit one node.

        Returns the node that has its elements then.
        """
        before: NodePointer = node.previous
        after: NodePointer = node.next
        if before is not cython.NULL and self.may_merge(before.previous, before):
            self.merge(before.previous, before)
        if after is not cython.NULL and self.may_merge(after, after.next):
            self.merge(after, after.next)
        if self.may_merge(node.previous, node):
            node = node.previous
            self.merge(node, node.next)
        if self.may_merge(node, node.next):
            self.merge(node, node.next)
        return node

    def merge(self, node: cython.pointer[Node], tail: cython.pointer[Node]) -> cython.int:
        """Move the elements of ``tail`` to the node before it."""
        self.keep(node)
        self.keep(tail)
        decompress(node)
        decompress(tail)
        moved: cython.Py_ssize_t = tail.count
        slim(pack_of(node))
        slim(pack_of(tail))
        listpack.merge(pack_of(node), pack_of(tail))
        note_size(node)
        node.count += moved
        tail.count = 0
        self.unlink(tail)
        return self.compress_changed(node)

    # -- Removing --------------------------------------------------------------------------------

    def remove_range(self, start: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.int:
        """Remove elements that are there. O(nodes up to them + nodes removed)."""
        cursor = cython.declare(Cursor)
        node: NodePointer
        next_node: NodePointer
        at: cython.Py_ssize_t
        removed: cython.Py_ssize_t
        if count <= 0:
            return 0
        self.seek(start, cython.address(cursor), False)
        node = cursor.node
        at = cursor.at
        leave(cython.address(cursor))
        while count > 0:
            next_node = node.next
            if count >= node.count and (node.plain or at <= listpack.HEADER):
                count -= node.count
                self.unlink(node)
            else:
                self.keep(node)
                decompress(node)
                removed = node.count
                listpack.remove_several(pack_of(node), at, count)
                note_size(node)
                node.count = listpack.count_of(pack_of(node)[0])
                removed -= node.count
                count -= removed
                self.count -= removed
                self.compress_changed(node)
            node = next_node
            at = listpack.HEADER
        return 0

    def remove_equal(
        self,
        needle: cython.pointer[cython.const[Needle]],
        most: cython.Py_ssize_t,
        forward: cython.bint,
    ) -> cython.Py_ssize_t:
        """Remove up to ``most`` elements that are a text; returns how many were. O(elements)."""
        node: NodePointer = self.head if forward else self.tail
        next_node: NodePointer
        removed: cython.Py_ssize_t = 0
        while node is not cython.NULL and removed < most:
            next_node = node.next if forward else node.previous
            removed += self.strip(node, needle, most - removed, forward)
            node = next_node
        return removed

    def strip(
        self,
        node: cython.pointer[Node],
        needle: cython.pointer[cython.const[Needle]],
        most: cython.Py_ssize_t,
        forward: cython.bint,
    ) -> cython.Py_ssize_t:
        """As :meth:`remove_equal`, for one node, which goes when it is empty."""
        removed: cython.Py_ssize_t = 0
        if not holds(node, needle):
            return 0
        if node.plain:
            removed = 1
        else:
            self.keep(node)
            decompress(node)
            removed = strip_pack(pack_of(node), needle, most, forward)
            note_size(node)
        if removed == node.count:
            self.unlink(node)
        else:
            node.count -= removed
            self.count -= removed
            self.compress_changed(node)
        return removed
