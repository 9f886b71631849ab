from carnelian.replication.history cimport Place
from carnelian.resp.output cimport Feed, OutputBuffer


cdef class ReplicaFeed(Feed):
    cdef public Place place
    cdef public bint flowing
    cdef public object source
    cdef public object on_sent
    cdef readonly Py_ssize_t waiting
    cdef object pieces

    cpdef put(self, bytes piece)
    cpdef leave(self)
