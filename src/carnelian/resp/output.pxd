from carnelian.resp.layout cimport Mark, Segment
from carnelian.resp.libc cimport iovec


cdef class OutputBuffer:
    cdef char* tail
    cdef char* limit
    cdef char* head
    cdef char* block
    cdef Segment* segments
    cdef int first
    cdef int count
    cdef int capacity
    cdef Py_ssize_t sealed
    cdef Py_ssize_t held

    cdef Py_ssize_t pending(self) noexcept
    cdef int grow(self, Py_ssize_t size) except -1
    cdef int put(self, const char* data, Py_ssize_t size) except -1
    cpdef int put_bytes(self, bytes value) except -1
    cdef int share(self, object owner, char* data, Py_ssize_t size) except -1
    cdef int leave_gap(self, Py_ssize_t size) except -1
    cdef void fill_gap(self, int number, const char* text, Py_ssize_t size) noexcept
    cpdef int absorb(self, OutputBuffer other) except -1
    cdef int iovecs(self, iovec* out, int maximum) noexcept
    cpdef int consume(self, Py_ssize_t size) except -1
    cpdef bytes take(self)
    cpdef int clear(self) except -1
    cdef void mark(self, Mark* at) noexcept
    cdef void rollback(self, Mark* at) noexcept

    cdef int _append(self, char* data, Py_ssize_t size, void* value, char* block) except -1
    cdef int _reserve(self, int more) except -1
    cdef int _seal(self, bint retire) except -1
    cdef void _drop(self, Segment* segment) noexcept
    cdef void _rest(self) noexcept


# Bytes to send.
cdef inline Py_ssize_t unsent(OutputBuffer output) noexcept:
    return output.sealed + (output.tail - output.head)


cdef class Feed:
    cpdef int fill(self, OutputBuffer output) except -1
    cpdef Py_ssize_t memory(self) except -1
