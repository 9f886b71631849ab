ctypedef unsigned long long u64
ctypedef const unsigned char *octets

cpdef bytes hexdigest(bytes data)
cdef u64 digest(octets data, Py_ssize_t size) noexcept nogil
cdef octets secret_from(Py_ssize_t place) noexcept nogil
cdef u64 read32(octets data) noexcept nogil
cdef u64 read64(octets data) noexcept nogil
cdef u64 swap64(u64 value) noexcept nogil
cdef u64 mix16(octets data, octets secret) noexcept nogil
cdef u64 avalanche(u64 hash) noexcept nogil
cdef u64 avalanche_xxh64(u64 hash) noexcept nogil
cdef void gather(u64 *lanes, octets data, Py_ssize_t size) noexcept nogil
cdef u64 merge(u64 *lanes, octets secret, u64 hash) noexcept nogil
