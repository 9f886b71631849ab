cdef class Histogram:
    cdef unsigned int counts[3072]
    cdef readonly long long total
    cpdef reset(self)
    cdef void record(self, long long value) noexcept


cdef class Stats:
    cdef public long long commands
    cdef public long long connections
    cdef public long long rejected_connections
    cdef public long long input_bytes
    cdef public long long output_bytes
    cdef public long long reads
    cdef public long long writes
    cdef public long long error_replies
    cdef public long long input_limit_disconnections
    cdef public long long output_limit_disconnections
    cdef readonly dict errors
    cdef readonly object ops_rate
    cdef readonly object input_rate
    cdef readonly object output_rate
