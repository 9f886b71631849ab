from carnelian.datatypes.packs.listpack cimport Bytes, Pack
from carnelian.datatypes.streams.ids cimport Id
from libc.stdint cimport int64_t, uint32_t

cdef struct Node:         # an item of the index of a stream
    Id first              # of its first entry; the others are written relative to it
    Pack pack
    uint32_t room         # bytes taken for the listpack
    uint32_t number       # for a keeper that is still to have it, else 0

cdef struct Head:         # of a node
    int64_t live          # entries that are there
    int64_t deleted       # entries that are only marked as deleted
    int64_t fields        # of the first entry
    Py_ssize_t names      # offset of the first of these
    Py_ssize_t entries    # offset of the first entry

cdef struct Entry:
    Id id
    int64_t fields
    Py_ssize_t at         # offset of its first element, the flags
    Py_ssize_t body       # offset of its first field, or its first value if it has the node's
    bint same             # it has the fields of the node
    bint deleted


ctypedef Node *NodePointer
ctypedef const Node *ConstNode
ctypedef Head *HeadPointer
ctypedef Entry *EntryPointer

cdef int start_node(Node *node, list words, Py_ssize_t start, Py_ssize_t room) except -1
cdef int append_entry(Node *node, const Id *id, list words, Py_ssize_t start) except -1
cdef int set_counts(Node *node, int64_t live, int64_t deleted) except -1
cdef int mark_deleted(Node *node, const Entry *entry) noexcept nogil
cdef int fit(Node *node) except -1
cdef int adopt(Node *node, Bytes data, Py_ssize_t length) except -1
cdef int duplicate(Node *node, const Node *other) except -1
cdef void free_node(Node *node) noexcept nogil
cdef Py_ssize_t memory_of(const Node *node) noexcept nogil

cdef bint read_head(Bytes pack, Head *head) noexcept nogil
cdef bint read_entry(const Node *node, const Head *head, Py_ssize_t at, Entry *entry) noexcept nogil
cdef Py_ssize_t behind(Bytes pack, const Entry *entry) noexcept nogil
cdef Py_ssize_t entry_before(Bytes pack, const Head *head, Py_ssize_t at) noexcept nogil
cdef bint last_id(const Node *node, Id *id) noexcept nogil
cdef void raise_id(const Node *node, Id *id) noexcept nogil
