from libc.stdint cimport int64_t


cdef class Sink:
    cdef int text(self, const char *text, Py_ssize_t length) except -1
    cdef int number(self, int64_t number) except -1
    cdef int score(self, double score) except -1


cdef class Gathered(Sink):
    cdef readonly list items
