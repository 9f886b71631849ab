from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session

cdef object NO_REPLY
cdef object Push
cdef object Several


cdef class Mailbox(Session):
    cdef readonly bint closed
    cdef bint stream
    cdef bint waiting
    cdef bint resuming
    cdef bint running
    cdef list kept
    cdef object messages
    cdef object answers
    cdef object answer
    cdef list asked
    cdef list unfetched
    cdef bint interrupted
    cdef bint dropped
    cdef object backlog
    cdef list loose_ends
    cdef public object on_delivery
    cdef Engine core
    cdef readonly Py_ssize_t unread
    cdef readonly Py_ssize_t unrun
    cdef bint counted
    cdef readonly str cause
    cdef public object outlet

    cpdef close(self, after_replies=*)
    cdef submit(self, Engine core, list words)
    cdef proceed(self, Engine core)
    cdef finish(self, Engine core)
    cdef deliver(self, value)
    cdef call_owner(self, tell)
    cdef put_unread(self, value)
    cdef deliver_kept(self)
    cdef count_unread(self, Py_ssize_t size)
    cdef count_unrun(self, Py_ssize_t size)
    cpdef check_unread(self)
    cdef cut(self, cause)
    cpdef fetch(self, timeout)
    cpdef put_back_end(self)
    cpdef await_answer(self)
    cdef answered(self)
    cdef give_up(self)
    cdef abandon(self)
    cdef take_back(self, Engine core)
    cdef put_back(self, Engine core, list words, reply)
