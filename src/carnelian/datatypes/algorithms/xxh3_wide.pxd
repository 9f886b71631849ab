from carnelian.datatypes.algorithms.xxh3 cimport octets, u64

cpdef bytes hexdigest128(bytes data)
cdef void digest128(octets data, Py_ssize_t size, u64 *hash) noexcept nogil
