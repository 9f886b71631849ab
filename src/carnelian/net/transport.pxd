from carnelian.net.loop cimport Channel, Loop
from carnelian.resp.output cimport OutputBuffer


cdef class Owner:
    cpdef readable(self)
    cpdef writable(self)
    cpdef give_up(self, fault)
    cpdef secured(self)


cdef class Transport(Channel):
    cdef readonly Loop loop
    cdef public Owner owner
    cdef readonly int wanted
    cdef readonly int error

    cpdef bint connected(self)
    cpdef on_event(self, int events)
    cpdef watch(self, int wanted)
    cdef Py_ssize_t receive(self, char* buffer, Py_ssize_t size) noexcept
    cdef Py_ssize_t transmit(self, OutputBuffer output) noexcept
    cpdef Py_ssize_t pending(self) except -1
    cpdef close(self)
    cpdef reason(self)
    cdef Py_ssize_t failure(self) noexcept
