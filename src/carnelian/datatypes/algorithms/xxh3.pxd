ctypedef unsigned long long u64
ctypedef const unsigned char *octets

cpdef bytes hexdigest(bytes data)
cdef u64 digest(octets data, Py_ssize_t size) noexcept nogil
