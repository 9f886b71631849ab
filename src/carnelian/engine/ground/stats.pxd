cdef extern from *:
    int leading_zeros "__builtin_clzll"(unsigned long long value) noexcept nogil


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
    cdef public long long replica_input_bytes
    cdef public long long replica_output_bytes
    cdef public long long full_syncs
    cdef public long long partial_syncs
    cdef public long long refused_partial_syncs
    cdef public long long reads
    cdef public long long writes
    cdef public long long error_replies
    cdef public long long input_limit_disconnections
    cdef public long long output_limit_disconnections
    cdef public long long command_ns
    cdef readonly long long turns
    cdef readonly long long turn_ns
    cdef readonly long long longest_turn_ns
    cdef public long long cron_ns
    cdef public long long log_ns
    cdef readonly long long most_commands
    cdef readonly long long slow_commands
    cdef readonly long long slow_ns
    cdef readonly long long slowest_ns
    cdef readonly dict errors
    cdef readonly bint errors_told
    cdef public object on_too_many_errors
    cdef readonly object ops_rate
    cdef readonly object input_rate
    cdef readonly object output_rate
    cdef readonly object replica_input_rate
    cdef readonly object replica_output_rate
    cdef readonly object turn_rate
    cdef readonly object turn_time_rate

    cdef void count_turn(self, long long ns, long long commands) noexcept
