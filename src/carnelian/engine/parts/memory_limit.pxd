from carnelian.engine.parts.admission cimport Admission
from carnelian.engine.shared.core cimport Core
from carnelian.keyspace.clock cimport Clock
from carnelian.keyspace.removal.eviction cimport Eviction
from carnelian.keyspace.keyspace cimport Keyspace


cdef class MemoryLimit:
    cdef Core core
    cdef object changes
    cdef Admission admission
    cdef Keyspace keyspace
    cdef Clock clock
    cdef readonly Eviction eviction
    cdef readonly Py_ssize_t limit
    cdef public Py_ssize_t foreign
    cdef public Py_ssize_t waiting
    cdef public bint lazy
    cdef public Py_ssize_t time_limit_ns
    cdef readonly bint exceeded
    cdef readonly bint exhausted
    cdef readonly bint evicting
    cdef readonly list uncounted
    cdef readonly list holds
    cdef readonly list relievers
    cdef Py_ssize_t since_ns
    cdef Py_ssize_t total_ns

    cpdef Py_ssize_t used(self)
    cpdef Py_ssize_t taken(self)
    cpdef Py_ssize_t not_counted(self)
    cdef bint over(self)
    cdef Py_ssize_t excess(self) except? -1
    cpdef relieve(self)
    cdef bint held(self) except -1
    cdef bint free(self, Py_ssize_t excess) except -1
    cdef evict(self, db, bytes key)
    cdef note_outcome(self, bint exceeded, bint exhausted)
