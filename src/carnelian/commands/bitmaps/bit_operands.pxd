from carnelian.keyspace.database cimport Database
from libc.stdint cimport int64_t

cdef int64_t bit_offset(Database db, bytes text) except -1
cdef int64_t field_offset(Database db, bytes text, int width) except -1
