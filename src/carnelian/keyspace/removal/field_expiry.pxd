from carnelian.datatypes.collections.hash cimport Hash
from carnelian.keyspace.database cimport Database

cdef bint expire_fields(Database db, bytes key, Hash value, Py_ssize_t buckets) except -1
cdef bint expire_next_hash(Database db, Py_ssize_t buckets) except -1
cdef note_times(Database db, bytes key)
