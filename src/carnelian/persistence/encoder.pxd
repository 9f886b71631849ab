from carnelian.datatypes.entry cimport Entry
from carnelian.keyspace.store cimport Store
from carnelian.persistence.sink cimport Sink

cdef int put_value(Sink sink, const Entry *entry) except -1
cdef int put_type(Sink sink, const Entry *entry) except -1
cdef int put_node(
    Sink sink, const void *data, Py_ssize_t size, Py_ssize_t stream, bint plain
) except -1
cdef int needed_version(const Entry *entry) except -1
cdef int version_of_streams(Store store, int lowest) except -1
