from carnelian.embedded.host cimport Host
from carnelian.embedded.mailbox cimport Mailbox
from carnelian.engine.engine cimport Engine as Core

cdef object CLOSED
cdef object Error
cdef object NO_REPLY


cdef class Engine:
    cdef readonly Core core
    cdef readonly Host host
    cdef object own
    cdef bint patched
    cdef unsigned long last_thread
    cdef Mailbox last_box
    cdef object __weakref__

    cdef Mailbox own_box(self)
    cdef Mailbox box_of_thread(self)
    cdef make_session(self, kind, Mailbox box)
    cdef convert(self, Mailbox box, reply)


cdef class LocalSession:
    cdef readonly Engine engine
    cdef readonly Mailbox box
    cdef object bell
    cdef object kept
    cdef object listener
    cdef object __weakref__

    cpdef hear(self, bint wanted)
