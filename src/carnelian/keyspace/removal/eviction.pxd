from carnelian.datatypes.tables.entry cimport Entry
from carnelian.datatypes.tables.table cimport Table
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.keyspace cimport Keyspace
from libc.stdint cimport int64_t


cdef class Eviction:
    cdef Keyspace keyspace
    cdef readonly str policy
    cdef int order
    cdef bint expiring
    cdef public Py_ssize_t samples
    cdef list keys             # the pool, the best last
    cdef long long scores[16]
    cdef int places[16]        # the databases of the keys
    cdef Py_ssize_t next_database

    cdef Table table_of(self, Database db)
    cdef int sample(self, Database db) except -1
    cdef int consider(self, int place, const Entry *entry) except -1
    cdef int64_t score(self, const Entry *entry) noexcept
    cpdef tuple choose(self)
    cdef tuple choose_best(self)
    cdef tuple choose_any(self)
