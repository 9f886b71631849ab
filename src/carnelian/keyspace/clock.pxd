from libc.stdint cimport int64_t


cdef class Clock:
    cdef public int64_t ms
    cdef readonly int64_t ns
    cdef int64_t wall_offset_ns

    cpdef int64_t tick(self) except? -1
    cpdef synchronize(self)
    cpdef int64_t wall_ms(self) except? -1
    cpdef int64_t wall_us(self) except? -1
    cpdef int64_t monotonic_ns(self) except? -1


cdef class ManualClock(Clock):
    cdef int64_t now_us
    cdef int64_t since_start_ns
