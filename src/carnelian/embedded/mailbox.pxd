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
    cdef object backlog
    cdef list loose_ends
    cdef public object on_delivery

    cpdef close(self, after_replies=*)
    cdef submit(self, Engine core, list words)
    cdef proceed(self, Engine core)
    cdef finish(self, Engine core)
    cdef deliver(self, value)
    cpdef fetch(self, timeout)
    cpdef await_answer(self)
    cdef forget_answer(self)
