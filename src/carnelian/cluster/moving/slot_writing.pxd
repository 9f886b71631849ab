from carnelian.datatypes.tables.entry cimport Entry
from carnelian.persistence.bytes.frozen cimport Output
from carnelian.persistence.rdb.outputs cimport CommandOutput


cdef class SlotOutput(Output):
    cdef bytes slots
    cdef CommandOutput commands
