from libc.stdint cimport uint64_t

cdef uint64_t next_random() noexcept nogil
cdef uint64_t random_below(uint64_t bound) noexcept nogil
cpdef seed(unsigned long long value)
