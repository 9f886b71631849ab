from carnelian.engine.session cimport Session



cdef class OutputLimits:
    cdef list hard
    cdef list soft
    cdef list seconds
    cdef readonly dict lagging

    cdef bint exceeded(self, Session session, Py_ssize_t unread, long long now) noexcept


cdef class ClientEviction:
    cdef object engine
    cdef readonly long long limit
    cdef readonly long long total
    cdef public long long evicted
    cdef list buckets

    cpdef update(self, Session session)
    cpdef forget(self, Session session)
    cpdef enforce(self)
    cdef int bucket(self, Py_ssize_t used) noexcept
