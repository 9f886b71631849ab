cdef size_t spare_bytes() noexcept nogil
cdef size_t total_bytes() noexcept nogil
