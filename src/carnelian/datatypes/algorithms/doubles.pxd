from libc.stdint cimport uint64_t

cdef uint64_t shortest(double value, int *exponent) noexcept nogil
cdef bint to_fixed(double value, uint64_t *whole, uint64_t *digits) noexcept nogil
