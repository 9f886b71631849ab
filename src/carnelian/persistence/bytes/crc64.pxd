from libc.stdint cimport uint64_t

cdef uint64_t update(uint64_t crc, const void *data, Py_ssize_t length) noexcept nogil
