from carnelian.net.transport cimport Transport
from carnelian.resp.output cimport OutputBuffer


cdef class Window:
    cdef char* data
    cdef Py_ssize_t size
    cdef bint readonly


cdef class TlsTransport(Transport):
    cdef object incoming
    cdef object outgoing
    cdef readonly object session
    cdef object decrypt
    cdef object encrypt
    cdef object feed
    cdef object drain
    cdef readonly bint established
    cdef bint emptied
    cdef bint at_boundary
    cdef bint alone
    cdef bint ended
    cdef bytes unsent
    cdef Py_ssize_t unsent_from
    cdef Py_ssize_t covered
    cdef str fault

    cdef prepare(self, int events)
    cdef observe(self)
    cdef negotiate(self)
    cdef fail(self, str fault)
    cdef Py_ssize_t open_records(self, char* buffer, Py_ssize_t size) except -3
    cdef Py_ssize_t open_record(self, char* buffer, Py_ssize_t room) except -3
    cdef Py_ssize_t fill(self) except -3
    cdef Py_ssize_t seal(self, OutputBuffer output) except -3
    cdef int push(self) except -3
    cdef break_off(self, error)
    cdef take_leave(self)
