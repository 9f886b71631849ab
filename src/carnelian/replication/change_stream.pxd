from carnelian.engine.shared.effects cimport Effects, Listener
from carnelian.replication.history cimport Backlog, History


cdef class Stream(Listener):
    cdef Effects effects
    cdef readonly History history
    cdef public Backlog backlog
    cdef readonly bint leading
    cdef bint fresh
    cdef public bint asks
    cdef public bint held
    cdef public list readers

    cpdef put(self, bytes data)
    cpdef relay(self, bytes data)
    cpdef tell_readers(self)
    cpdef int database(self) except -1
