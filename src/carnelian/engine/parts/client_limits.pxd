from carnelian.engine.shared.client_state cimport Client
from carnelian.engine.shared.core cimport Core


cdef class OutputLimits:
    cdef list hard
    cdef list soft
    cdef list seconds
    cdef readonly dict lagging
    cdef public Py_ssize_t kept_anyway

    cdef bint exceeded(self, Client session, Py_ssize_t unread, long long now) noexcept


cdef class ClientEviction:
    cdef Core core
    cdef readonly long long limit
    cdef readonly long long total
    cdef public long long evicted
    cdef list buckets

    cpdef update(self, Client session)
    cpdef forget(self, Client session)
    cpdef enforce(self)
    cdef int bucket(self, Py_ssize_t used) noexcept
