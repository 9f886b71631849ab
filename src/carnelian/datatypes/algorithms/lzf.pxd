from libc.stdint cimport uint8_t

ctypedef const uint8_t *Bytes

cdef size_t pack(const uint8_t *data, size_t length, uint8_t *to, size_t room) noexcept nogil
cdef size_t unpack(const uint8_t *data, size_t length, uint8_t *to, size_t room) noexcept nogil
