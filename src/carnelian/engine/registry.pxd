from carnelian.engine.stats cimport Histogram


cdef class Command:
    cdef readonly object declaration
    cdef readonly bytes name
    cdef int words
    cdef readonly object handler
    cdef readonly long long flags
    cdef readonly tuple categories
    cdef readonly dict subcommands
    cdef public long long calls
    cdef public long long microseconds
    cdef public long long rejected_calls
    cdef public long long failed_calls
    cdef readonly long long slow_calls
    cdef readonly long long slow_ns
    cdef readonly long long slowest_ns
    cdef readonly Histogram histogram

    cpdef record(self, long long nanoseconds, bint tracking)
    cdef bint accepts(self, Py_ssize_t count) except? -1


cdef class Registry:
    cdef dict by_spelling
    cdef readonly dict top
    cpdef Command lookup(self, list args)
