from carnelian.keyspace.database cimport Database, Reaped
from carnelian.keyspace.keyspace cimport Keyspace
from libc.stdint cimport int64_t


cdef class ExpireCycle:
    cdef Keyspace keyspace
    cdef public int effort
    cdef public int hz
    cdef Py_ssize_t next_database
    cdef bint out_of_time
    cdef int64_t last_fast_us
    cdef int samples

    cpdef int64_t run(self, bint fast=*) except -1
    cdef int64_t time_limit(self, bint fast) noexcept
    cdef bint may_run_fast(self, int64_t now_us) noexcept
    cdef int clean_hashes(self, Database db, int64_t limit) except -1
    cdef int clean(self, Database db, int64_t limit, Reaped *total) except -1
