from carnelian.server.connection cimport Connection, Hub


cdef class MemoryWatch:
    cdef Hub hub
    cdef public long long limit
    cdef readonly long long total
    cdef readonly long long evicted
    cdef list buckets

    cpdef update(self, Connection connection)
    cpdef forget(self, Connection connection)
    cpdef enforce(self)
    cdef int bucket(self, Py_ssize_t used) noexcept
