from carnelian.datatypes.tables.entry cimport Entry
from carnelian.keyspace.database cimport Database
from carnelian.persistence.bytes.command_file cimport CommandFile
from libc.stdint cimport int64_t


cdef class Rewriter(CommandFile):
    cdef readonly int64_t keys
    cdef public int64_t delay_us
    cdef public object progress

    cdef int write_database(self, Database db) except -1
    cdef int write_select(self, int index) except -1
    cdef int write_key(self, Entry *entry) except -1
