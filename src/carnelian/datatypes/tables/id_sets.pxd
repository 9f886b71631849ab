from carnelian.datatypes.tables.table cimport Table
from libc.stdint cimport int64_t, uint64_t


cdef class Ids:
    cdef int64_t *ids
    cdef Py_ssize_t count
    cdef Py_ssize_t room

    cdef bint add(self, int64_t id) except -1


cdef class IdSets:
    cdef Table table
    cdef readonly Py_ssize_t items

    cdef bint add(self, bytes key, int64_t id) except -1
    cdef list take(self, bytes key)
    cdef bytes random_key(self)
    cdef Table renew(self)
    cdef Py_ssize_t used(self) noexcept
    cdef bint add_to(self, uint64_t *slot, int64_t id) except -1
