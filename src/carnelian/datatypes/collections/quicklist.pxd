from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.collections.nodes cimport Cursor, Needle, Node
from carnelian.datatypes.tables.table cimport Keeper

cdef bint exceeds(int fill, Py_ssize_t size, Py_ssize_t count) noexcept nogil
cdef Py_ssize_t size_limit(int fill) noexcept nogil
cdef Py_ssize_t count_limit(int fill) noexcept nogil

cdef class Quicklist:
    cdef Node *head
    cdef Node *tail
    cdef readonly Py_ssize_t nodes
    cdef readonly Py_ssize_t count
    cdef readonly int fill
    cdef readonly int depth
    cdef Keeper keeper  # is handed numbered nodes before they change

    cdef int append_pack(self, Pack pack) except -1
    cdef Pack only_pack(self) except? NULL
    cdef int push(self, bytes text, bint at_head) except -1
    cdef bytes pop(self, bint at_head)
    cdef int seek(self, Py_ssize_t index, Cursor *cursor, bint back) except -1
    cdef int insert(self, Cursor *cursor, bytes text, bint after) except -1
    cdef int replace(self, Cursor *cursor, bytes text) except -1
    cdef int remove_range(self, Py_ssize_t start, Py_ssize_t count) except -1
    cdef Py_ssize_t remove_equal(
        self, const Needle *needle, Py_ssize_t most, bint forward
    ) except -1
    cdef int keep(self, Node *node) except -1
    cpdef bint free_some(self) except -1
    cdef bint drain(self, Py_ssize_t nodes) noexcept
    cdef Quicklist copy(self)
    cdef Py_ssize_t memory(self) noexcept

    cdef bint is_large(self, Py_ssize_t length) noexcept
    cdef bint accepts(self, const Node *node, Py_ssize_t length) noexcept
    cdef Node *new_node(self, bytes text) except NULL
    cdef int link(self, Node *node, Node *beside, bint after) except -1
    cdef int unlink(self, Node *node) except -1
    cdef Node *cut(self, Node *node, Py_ssize_t at, bint keep_front) except NULL
    cdef int insert_large(self, Cursor *cursor, bytes text, bint after) except -1
    cdef Node *merge_around(self, Node *node) except NULL
    cdef bint may_merge(self, const Node *node, const Node *other) noexcept
    cdef int merge(self, Node *node, Node *tail) except -1
    cdef Py_ssize_t strip(
        self, Node *node, const Needle *needle, Py_ssize_t most, bint forward
    ) except -1
    cdef int compress_changed(self, Node *node) except -1
