from carnelian.datatypes.entry cimport Entry
from carnelian.keyspace.keyspace cimport Keyspace
from carnelian.persistence.frozen cimport Frozen, Output
from carnelian.persistence.rewriting cimport Rewriter
from carnelian.persistence.sink cimport Sink
from carnelian.persistence.writer cimport Writer


cdef class RecordOutput(Output):
    cdef Keyspace keyspace
    cdef Writer writer
    cdef Sink sink
    cdef object spool
    cdef Frozen first
    cdef int selected

    cdef int select(self, int index) except -1
    cdef int put_uncompressed(self, Entry *entry) except -1
    cdef int put_first(self, Frozen value) except -1


cdef class CommandOutput(Output):
    cdef Rewriter rewriter
    cdef int selected

    cdef int select(self, int index) except -1
