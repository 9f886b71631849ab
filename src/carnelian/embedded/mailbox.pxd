from carnelian.engine.engine cimport Engine
from carnelian.engine.session cimport Session


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
    cdef list unread
    cdef bint interrupted
    cdef bint dropped
    cdef object backlog
    cdef list loose_ends
    cdef public object on_delivery

    cpdef close(self, after_replies=*)
    cdef submit(self, Engine core, list words)
    cdef proceed(self, Engine core)
    cdef finish(self, Engine core)
    cdef deliver(self, value)
    cdef call_owner(self, tell)
    cpdef fetch(self, timeout)
    cpdef await_answer(self)
    cdef answered(self)
    cdef give_up(self)
    cdef abandon(self)
    cdef take_back(self, Engine core)
    cdef put_back(self, Engine core, list words, reply)
