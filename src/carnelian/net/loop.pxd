cdef class Channel:
    cdef readonly int fd
    cdef readonly int interest
    cdef bint reminded

    cpdef on_event(self, int events)


cdef class Hooks:
    cpdef before_sleep(self)
    cpdef after_sleep(self)


cdef class Loop:
    cdef object poller
    cdef int epoll
    cdef object waker
    cdef list channels
    cdef list timers
    cdef list soon
    cdef list parting
    cdef list reminders
    cdef object threadsafe
    cdef long long timer_count
    cdef readonly bint stopping
    cdef double longest_wait
    cdef double next_timer
    cdef double slept
    cdef double woke
    cdef public Hooks hooks
    cdef readonly long long turns

    cpdef watch(self, Channel channel, int interest)
    cpdef unwatch(self, Channel channel)
    cpdef remind(self, Channel channel)
    cpdef call_soon(self, callback)
    cpdef call_before_wait(self, callback)
    cpdef turn(self)
    cdef wait_for_epoll(self)
    cdef wait_for_poller(self)
    cdef tell(self, int fd, int events)
    cdef double timeout(self) noexcept
    cdef run_reminders(self)
    cdef run_timers(self)
    cdef run_parting(self)
    cdef run_soon(self)


cdef double seconds() noexcept nogil
