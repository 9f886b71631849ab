from libc.stdint cimport int64_t

cdef enum:
    INTEGER_TEXT = 20  # the longest text of a 64-bit integer


cdef class StringBuffer:
    cdef char *data
    cdef readonly Py_ssize_t length
    cdef Py_ssize_t room

    cdef int resize(self, Py_ssize_t length) except -1
    cpdef bytes value(self)
    cpdef Py_ssize_t memory(self) except -1
    cpdef StringBuffer copy(self)

cdef StringBuffer new_buffer(const char *data, Py_ssize_t length, Py_ssize_t total)
cdef int format_integer(int64_t number, char *text) noexcept nogil
cdef bint parse_integer(const char *text, Py_ssize_t length, int64_t *number) noexcept nogil
