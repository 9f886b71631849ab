from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.collections.nodes cimport Cursor
from carnelian.datatypes.collections.quicklist cimport Quicklist
from carnelian.datatypes.base.sink cimport Sink
from carnelian.datatypes.base.value cimport Value


cdef class List(Value):
    cdef Pack pack         # NULL in a quicklist
    cdef Quicklist chain   # None in a listpack

    cpdef Py_ssize_t size(self) noexcept
    cpdef push(self, Limits limits, list words, Py_ssize_t start, bint at_head)
    cpdef push_one(self, Limits limits, bytes text, bint at_head)
    cpdef bytes pop(self, Limits limits, bint at_head)
    cpdef bytes item(self, Py_ssize_t index)
    cpdef list items(self, Py_ssize_t start, Py_ssize_t count, bint forward=*)
    cpdef bint set_item(self, Limits limits, Py_ssize_t index, bytes text) except -1
    cpdef bint insert(self, Limits limits, bytes pivot, bytes text, bint after) except -1
    cpdef Py_ssize_t remove_equal(self, Limits limits, bytes text, Py_ssize_t most, bint forward) except -1
    cpdef remove_range(self, Limits limits, Py_ssize_t start, Py_ssize_t count)
    cpdef list positions(
        self, bytes text, Py_ssize_t rank, Py_ssize_t most, Py_ssize_t scanned, bint forward
    )
    cpdef bint free_some(self) except -1

    cdef int grow(self, Limits limits, Py_ssize_t size, Py_ssize_t count) except -1
    cdef int shrink(self, Limits limits) except -1
    cdef int prepare(self, Py_ssize_t index) except -1
    cdef int pour(self, Py_ssize_t start, Py_ssize_t count, Sink sink) except -1
    cdef int seek(self, Py_ssize_t index, Cursor *cursor, bint back) except -1
