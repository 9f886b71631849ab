from carnelian.engine.parts.admission cimport Check
from carnelian.keyspace.keyspace cimport Keyspace


cdef class WriteCheck(Check):
    cdef Keyspace keyspace
    cdef public bint read_only
    cdef readonly dict written


cdef class StaleCheck(Check):
    cdef public bint stale
