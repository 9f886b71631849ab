from carnelian.embedded.mailbox cimport Mailbox
from carnelian.engine.engine cimport Engine
from carnelian.persistence.aof.append_log cimport AppendLog
from libc.stdint cimport int64_t

cdef int ALWAYS
cdef object NO_REPLY


cdef class Host:
    cdef readonly Engine core
    cdef readonly int state
    cdef readonly object timer
    cdef readonly object storage
    cdef public object primary  # what carries the link to a primary, or None
    cdef object ownership
    cdef object snapshots
    cdef object append_only
    cdef AppendLog log
    cdef object acquire
    cdef object release
    cdef int pid
    cdef bint running
    cdef bint abandoned
    cdef bint idle
    cdef object slicing  # a file that is written in slices, or None
    cdef long long left_used
    cdef bint manual
    cdef bint was_moved
    cdef public object on_wait
    cdef public bint shared  # others open the path by the way of this engine
    cdef readonly list services  # through which others use the engine, while they are open
    cdef list loose_ends
    cdef long long next_cron_ns
    cdef long long commands_seen
    cdef int quiet_ticks
    cdef object __weakref__

    cdef enter(self)
    cdef leave(self)
    cdef begin(self)
    cdef give_up_waiting(self, Mailbox box)
    cdef settle_waiting(self, Mailbox box, int64_t before, int64_t after)
    cdef settle(self, int64_t before, int64_t after)
    cdef run(self, Mailbox box, list words)
    cpdef submit(self, Mailbox box, list commands)
    cpdef catch_up(self)
    cdef tidy(self)
    cdef tidy_soon(self)
    cdef wake_timer(self)
    cdef reschedule(self)
    cdef _save_and_end(self, save)
