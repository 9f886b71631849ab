from carnelian.datatypes.packs.listpack cimport Item, Pack
from carnelian.datatypes.base.sink cimport Sink
from libc.stdint cimport int64_t, uint32_t

# A piece of the list: a listpack, or one large element on its own.
cdef struct Node:
    Node *next
    Node *previous
    void *data         # the listpack, the element, or the LZF stream of either
    Py_ssize_t size    # bytes of the listpack or the element
    Py_ssize_t stream  # bytes of the LZF stream; 0 if it is not compressed
    uint32_t count     # elements
    bint plain         # one large element
    uint32_t number    # for a keeper that is still to have it, else 0
    uint32_t half      # offset of the middle element in a slim listpack; 0: not looked for yet

ctypedef Node *NodePointer

# A place in a list, to read from. A compressed node is read from a copy, which the cursor owns.
cdef struct Cursor:
    Node *node     # NULL in a list that is but one listpack
    Pack pack      # NULL in a plain node
    Py_ssize_t at  # offset in the listpack

# What to look for: read once, compared with many elements.
cdef struct Needle:
    const char *text
    Py_ssize_t length
    int64_t number
    bint is_number

cdef Node *make_node() except NULL
cdef void free_node(Node *node) noexcept nogil
cdef int compress(Node *node) except -1
cdef int decompress(Node *node) except -1
cdef Py_ssize_t memory_of(const Node *node) noexcept nogil

cdef int enter(Cursor *cursor, Node *node) except -1
cdef bint move(Cursor *cursor, bint forward) except -1
cdef bint move_on(Cursor *cursor, bint forward) except -1
cdef void leave(Cursor *cursor) noexcept nogil
cdef bint read(const Cursor *cursor, Item *item) noexcept nogil
cdef Needle needle_of(bytes text) noexcept
cdef bint is_needle(const Item *item, const Needle *needle) noexcept nogil
cdef int pour(Cursor *cursor, Py_ssize_t count, Sink sink) except -1
cdef bytes item_bytes(const Item *item)
cdef Py_ssize_t strip_pack(
    Pack *pack, const Needle *needle, Py_ssize_t most, bint forward
) except -1

cdef void open_at(Cursor *cursor) noexcept nogil
cdef bint holds(Node *node, const Needle *needle) except -1
cdef bint is_edge(const Cursor *cursor, bint after) noexcept nogil
cdef Py_ssize_t behind(const Cursor *cursor) noexcept nogil
cdef Py_ssize_t place_in(Node *node, Pack pack, Py_ssize_t index) noexcept nogil
cdef void note_size(Node *node) noexcept nogil
cdef int replace_in(Node *node, Py_ssize_t at, bytes text) except -1
cdef int put_in(Node *node, Py_ssize_t at, bytes text) except -1

# Whether an index is so near to the end that to come to it from there is worth a full listpack.
cdef inline bint is_late(Py_ssize_t index, Py_ssize_t count) noexcept nogil:
    return count > 32 and count - index < count >> 2

cdef inline Pack *pack_of(Node *node) noexcept nogil:
    """Where a node that is not compressed keeps its listpack."""
    return <Pack *>&node.data
