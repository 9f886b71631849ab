from carnelian.datatypes.tables.entry cimport Entry
from carnelian.keyspace.slots cimport Slots
from libc.stdint cimport int64_t, uint64_t


cdef class Strings(Slots):
    cpdef bint set_string(
        self, bytes key, bytes value, bint keep_ttl=*, int64_t expiry=*
    ) except -1
    cpdef bint set_text(self, bytes key, bytes text, bint keep_ttl=*) except -1
    cpdef bint set_integer(self, bytes key, int64_t number, bint keep_ttl=*) except -1
    cpdef int64_t increment(self, bytes key, int64_t delta) except? -1
    cpdef Py_ssize_t append(self, bytes key, bytes tail) except -1
    cpdef Py_ssize_t set_range(self, bytes key, Py_ssize_t offset, bytes part) except -1
    cpdef Py_ssize_t string_length(self, bytes key) except -1
    cpdef bytes get_range(self, bytes key, int64_t start, int64_t end)
    cdef char *edit(self, bytes key, Py_ssize_t length) except NULL
    cdef const char *view(self, bytes key, char *digits, Py_ssize_t *length) except? NULL
    cdef const char *glimpse(self, bytes key, char *digits, Py_ssize_t *length) except? NULL
    cdef Py_ssize_t length_to_change(self, bytes key) except -2

    cdef const char *text(self, Entry *entry, char *digits, Py_ssize_t *length) except? NULL
    cdef int check_length(self, Py_ssize_t offset, Py_ssize_t length) except -1
