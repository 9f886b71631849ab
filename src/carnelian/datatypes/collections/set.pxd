from carnelian.datatypes.packs.intset cimport Ints
from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.tables.members cimport Members
from carnelian.datatypes.base.sink cimport Sink
from carnelian.datatypes.base.value cimport Value
from libc.stdint cimport int64_t, uint64_t


# One of these three is there.
cdef class Set(Value):
    cdef Ints ints
    cdef Pack pack
    cdef Members table

    cpdef Py_ssize_t size(self) noexcept
    cpdef bint add(self, Limits limits, bytes member) except -1
    cpdef bint remove(self, bytes member) except -1
    cpdef bint contains(self, bytes member) except -1
    cpdef list members(self)
    cpdef bytes random(self)
    cpdef list sample(self, Py_ssize_t count)
    cpdef bytes pop(self)
    cpdef scan(self, uint64_t cursor, Py_ssize_t count)
    cpdef list common(self, list others, Py_ssize_t most=*)
    cpdef bint free_some(self) except -1

    cdef int pour(self, Sink sink) except -1
    cdef Py_ssize_t pour_common(self, list others, Py_ssize_t most, Sink sink) except -1
    cdef void drop_small(self) noexcept
    cdef bint contains_text(self, const char *text, Py_ssize_t length) except -1
    cdef bint contains_number(self, int64_t number) except -1
    cdef bint everywhere(self, list others, const char *text, Py_ssize_t length) except -1
    cdef bint add_text(self, Limits limits, const char *text, Py_ssize_t length) except -1
    cdef bint add_to_pack(self, Limits limits, const char *text, Py_ssize_t length) except -1
    cdef bint add_to_ints(self, Limits limits, const char *text, Py_ssize_t length) except -1
    cdef bint fits_pack(self, Limits limits, Py_ssize_t length) noexcept
    cdef int to_pack(self) except -1
    cdef int to_table(self, Py_ssize_t expected) except -1
