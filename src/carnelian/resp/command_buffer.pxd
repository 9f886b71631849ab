from libc.stdint cimport int64_t


cdef class CommandBuffer:
    cdef char *data
    cdef readonly Py_ssize_t length
    cdef readonly Py_ssize_t room

    cdef int begin(self, Py_ssize_t words) except -1
    cdef int word(self, const char *text, Py_ssize_t length) except -1
    cdef int put(self, const char *text, Py_ssize_t length) except -1
    cdef int head(self, char mark, Py_ssize_t number) except -1
    cdef int reserve(self, Py_ssize_t length) except -1
    cdef int drop(self, Py_ssize_t length) except -1
    cpdef command(self, list words)
    cpdef raw(self, bytes text)
    cpdef clear(self)
    cpdef bytes value(self)
