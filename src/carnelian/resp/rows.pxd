from carnelian.datatypes.base.sink cimport Sink
from carnelian.resp.output cimport OutputBuffer
from libc.stdint cimport int64_t

cdef enum:  # what the elements make up
    ARRAY = 42  # *
    MAP = 37    # %
    SET = 126   # ~


cdef class Rows(Sink):
    cdef OutputBuffer out
    cdef Py_ssize_t count
    cdef char kind

    cdef int large(self, const char *text, Py_ssize_t length) except -1

cdef Rows rows_of(char kind)
