from carnelian.keyspace.state cimport State
from libc.stdint cimport int64_t


cdef class Keyspace(State):
    cdef readonly list databases
    cdef Py_ssize_t next_database

    cdef bint resize_step(self) except -1
    cpdef bint background_step(self, int64_t budget_us, bint resizing=*) except -1
