"""Lists in files: nodes of listpacks, before Redis 7 of ziplists, and single elements."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.slabs import take
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.datatypes.collections.nodes import NodePointer, make_node
from cython.cimports.carnelian.datatypes.collections.quicklist import Quicklist, exceeds
from cython.cimports.carnelian.datatypes.packs import listpack, slim
from cython.cimports.carnelian.datatypes.packs.listpack import Bytes, Pack
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import ITEMS, TAKEN
from cython.cimports.carnelian.persistence.bytes.formats import (
    LIST,
    LIST_QUICKLIST,
    LIST_QUICKLIST_2,
    LIST_ZIPLIST,
    PACKED,
    PLAIN,
)
from cython.cimports.carnelian.persistence.bytes.frozen import LONG_STRING, Block, FrozenBlocks
from cython.cimports.carnelian.persistence.bytes.ziplists import from_ziplist
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.packs import put_pack, read_ziplist
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import uint32_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue


@cython.final
@cython.cclass
class ListForm(Form):
    """Of lists."""

    def type_of(self, value, version):
        """The one that all versions have that can be written."""
        return LIST_QUICKLIST_2

    def put(self, sink, value):
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

    def read(self, source, type, limits, thorough):
        """Nodes, elements, or one ziplist."""
        if type == LIST:
            return read_list(source, limits)
        if type == LIST_ZIPLIST:
            return list_of_ziplist(source, limits)
        return read_quicklist(source, type == LIST_QUICKLIST_2, limits)

    def freeze(self, freezer, index, value):
        """In nodes, if it has many."""
        chain: Quicklist = cython.cast(List, value).chain
        if chain is None or chain.nodes < freezer.long or not freezer.output.takes_parts:
            return None
        frozen: FrozenList = FrozenList(freezer, index)
        frozen.number(chain)
        return frozen

    def rewrite(self, commands, key, value):
        """In pieces."""
        start: cython.Py_ssize_t = 0
        count: cython.Py_ssize_t
        elements: List = value
        while start < elements.size():
            count = min(TAKEN, elements.size() - start)
            commands.put_some(b"RPUSH", key, elements.items(start, count), ITEMS)
            start += count
        return 0


register(List, ListForm(), (LIST, LIST_ZIPLIST, LIST_QUICKLIST, LIST_QUICKLIST_2))


@cython.cfunc
@cython.exceptval(-1)
def put_node(
    sink: Sink,
    data: cython.p_void,
    size: cython.Py_ssize_t,
    stream: cython.Py_ssize_t,
    plain: cython.bint,
) -> cython.int:
    """Write a node: ``size`` bytes, compressed to ``stream`` unless that is 0."""
    sink.put_length(PLAIN if plain else PACKED)
    if stream:
        return sink.put_stream(data, stream, size)
    if not plain:
        return put_pack(sink, cython.cast(listpack.Bytes, data))
    return sink.put_text(cython.cast(cython.p_const_char, data), size)


# -- In --------------------------------------------------------------------------------------------


@cython.cfunc
def read_list(source: Source, limits: Limits):
    """The elements of a list."""
    count: cython.Py_ssize_t = source.read_count()
    made: List = List()
    if count == 0:
        raise EmptyValue("List")
    while count > 0:
        made.push_one(limits, source.read_bytes(), False)
        count -= 1
    return made


@cython.cfunc
def list_of_ziplist(source: Source, limits: Limits):
    """A list that was one ziplist."""
    pack: Pack = read_ziplist(source, "List ziplist", 1)
    made: List = List()
    if fits_one(pack, limits):
        listpack.destroy(made.pack)
        made.pack = pack
        slim.slim(cython.address(made.pack))
        return made
    try:
        at: cython.Py_ssize_t = listpack.first(pack)
        while at:
            made.push_one(limits, listpack.bytes_at(pack, at), False)
            at = listpack.after(pack, at)
    finally:
        listpack.destroy(pack)
    return made


@cython.cfunc
@cython.exceptval(-1)
def fits_one(pack: Pack, limits: Limits) -> cython.bint:
    """Whether a list of these elements may be one listpack."""
    return not exceeds(
        limits.list_max_listpack_size, listpack.full_size(pack), listpack.count_of(pack)
    )


@cython.cfunc
def read_quicklist(source: Source, with_containers: cython.bint, limits: Limits):
    """The nodes of a list: listpacks or large elements, before Redis 7 ziplists."""
    nodes: cython.Py_ssize_t = source.read_count()
    chain: Quicklist = Quicklist(limits.list_max_listpack_size, limits.list_compress_depth)
    made: List
    pack: Pack
    if nodes == 0:
        raise EmptyValue("List")
    while nodes > 0:
        read_node(source, with_containers, chain)
        nodes -= 1
    if chain.count == 0:
        raise EmptyValue("List")
    made = List()
    listpack.destroy(made.pack)
    made.pack = cython.NULL
    made.chain = chain
    if chain.nodes == 1 and not exceeds(
        limits.list_max_listpack_size, chain.head.size, chain.count
    ):
        pack = chain.only_pack()
        if pack is not cython.NULL:
            made.pack = pack
            made.chain = None
    return made


@cython.cfunc
@cython.exceptval(-1)
def read_node(source: Source, with_containers: cython.bint, chain: Quicklist) -> cython.int:
    """Append a node; none for an empty listpack."""
    container: uint64_t = source.read_length() if with_containers else PACKED
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char
    pack: Pack = cython.NULL
    if container != PACKED and container != PLAIN:
        raise Corrupt("Quicklist integrity check failed.")
    text = source.read_text(cython.address(length))
    if length == 0:
        raise Corrupt("Quicklist node without bytes")
    if container == PLAIN:
        return append_plain(chain, text, length)
    if not with_containers:
        pack = from_ziplist(cython.cast(Bytes, text), length)
        if pack is cython.NULL:
            raise Corrupt("Ziplist integrity check failed.")
        slim.slim(cython.address(pack))
    else:
        pack = slim.from_full(cython.cast(Bytes, text), length)
        if pack is cython.NULL:
            raise Corrupt("Listpack integrity check failed.")
    if listpack.count_of(pack) == 0:
        listpack.destroy(pack)
        return 0
    return chain.append_pack(pack)


@cython.cfunc
@cython.exceptval(-1)
def append_plain(
    chain: Quicklist, text: cython.p_const_char, length: cython.Py_ssize_t
) -> cython.int:
    """Append a node that is one large element."""
    node: NodePointer = make_node()
    node.data = take(length)
    memcpy(node.data, text, length)
    node.plain = True
    node.size = length
    node.count = 1
    chain.count += 1
    return chain.link(node, chain.tail, True)


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenList(FrozenBlocks):
    """The nodes of a quicklist."""

    def __dealloc__(self):
        free(self.nodes)

    def number(self, chain: Quicklist) -> None:
        """Give all nodes their numbers. O(nodes)."""
        node: NodePointer = chain.head
        self.nodes = cython.cast(
            cython.pointer[NodePointer], malloc(chain.nodes * cython.sizeof(NodePointer))
        )
        if self.nodes is cython.NULL:
            raise MemoryError
        while node is not cython.NULL:
            self.nodes[self.count] = node
            self.count += 1
            node.number = cython.cast(uint32_t, self.count)
            node = node.next
        self.chain = chain
        chain.keeper = self

    def read(self, number, block):
        """Look at a node."""
        node: NodePointer = self.nodes[number - 1]
        node.number = 0
        block.data = node.data
        block.size = node.size
        block.stream = node.stream
        block.plain = node.plain
        return 0

    def type_of(self, version):
        """As that of a whole list."""
        return LIST_QUICKLIST_2

    def put_part(self, record, compressing, part):
        """Write a node."""
        block: cython.pointer[cython.const[Block]] = cython.cast(
            cython.pointer[cython.const[Block]], part
        )
        record.compressing = compressing and block.size < LONG_STRING
        return put_node(
            record, cython.cast(cython.p_void, block.data), block.size, block.stream, block.plain
        )

    def finish(self, complete):
        """Let the list go on unobserved."""
        self.chain.keeper = None
        if cython.cast(cython.pointer[PyObject], self.chain).ob_refcnt == 1:
            self.freezer.keyspace.trash.add_value(self.chain)
        self.chain = None
        return 0
