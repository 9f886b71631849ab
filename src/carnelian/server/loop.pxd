cdef class Channel:
    cdef readonly int fd
    cdef readonly int interest

    cpdef on_event(self, int events)


cdef class Loop:
    cdef object poller
    cdef object waker
    cdef list channels
    cdef list timers
    cdef list soon
    cdef object threadsafe
    cdef long long timer_count
    cdef bint stopping
    cdef double longest_wait
    cdef public object before_sleep
    cdef public object after_sleep
    cdef readonly long long turns

    cpdef watch(self, Channel channel, int interest)
    cpdef unwatch(self, Channel channel)
    cpdef call_soon(self, callback)
    cpdef turn(self)
    cdef double timeout(self) except? -2.0
    cdef run_timers(self)
    cdef run_soon(self)
