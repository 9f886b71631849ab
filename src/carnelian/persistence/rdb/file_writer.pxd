from carnelian.datatypes.tables.entry cimport Entry
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.state cimport State
from carnelian.persistence.bytes.byte_sink cimport Sink


cdef class Writer:
    cdef Sink sink
    cdef Py_ssize_t keys
    cdef public int clocks
    cdef public long long delay_us
    cdef public object progress

    cdef int write_database(self, Database db) except -1
    cdef int write_select(self, int index) except -1
    cdef int write_sizes(self, Database db) except -1
    cdef int write_head(self, Sink sink, State keyspace, const Entry *entry) except -1
    cdef int write_key(self, State keyspace, Entry *entry) except -1
