from libc.stdint cimport int64_t


cdef class Idempotency:
    cdef public int64_t duration_s  # how long an entry is remembered, from the time in its id on
    cdef public int64_t most        # entries remembered of one producer
    cdef public int64_t added
    cdef public int64_t duplicates
    cdef object producers
    cdef Py_ssize_t held

    cdef find(self, bytes producer, bytes name, int64_t now_ms)
    cdef int record(self, bytes producer, bytes name, object id) except -1
    cdef int forget_old(self, int64_t now_ms) except -1
    cdef int clear(self) except -1
    cdef Idempotency copy(self)
    cdef Py_ssize_t memory(self) noexcept
