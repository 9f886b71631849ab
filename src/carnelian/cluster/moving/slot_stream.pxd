from carnelian.engine.catalogue.key_positions cimport KeyPositions
from carnelian.engine.catalogue.registry cimport Command, Registry
from carnelian.resp.command_buffer cimport CommandBuffer


cdef class SlotStream:
    cdef Registry registry
    cdef bytes slots
    cdef object sink
    cdef object on_flush
    cdef CommandBuffer buffer
    cdef KeyPositions found
    cdef bint within   # a unit of several commands
    cdef bint begun    # and some of it is for the stream

    cpdef take(self, int db_index, list args)
    cdef hand_on(self)
    cdef bint touches(self, Command command, list args) except -1
