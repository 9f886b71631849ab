from carnelian.server.connection cimport Connection, Hub


cdef class Clients:
    cdef readonly Hub hub
    cdef Py_ssize_t cursor
    cdef readonly list input_peaks
    cdef readonly list output_peaks
    cdef public long long idle_timeout_ms
    cdef public long long peak_reset_ms
    cdef public bint resizing
    cdef public long long shrinks
    cdef public long long expands

    cpdef tend_some(self, int hz)
    cdef tend(self, Connection connection, long long now, int slot)
    cdef bint end_if_idle(self, Connection connection, long long now) except -1
    cdef resize_replies(self, Connection connection, long long now)
    cdef note_peaks(self, Connection connection, int slot)
