from carnelian.datatypes.tables.entry cimport Entry
from carnelian.keyspace.keyspace cimport Keyspace
from carnelian.persistence.bytes.frozen cimport Frozen, Output
from carnelian.persistence.rdb.rewriting cimport Rewriter
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.rdb.file_writer cimport Writer


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
