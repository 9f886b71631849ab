from carnelian.datatypes.tables.entry cimport Entry
from carnelian.persistence.bytes.frozen cimport Freezing, Frozen, FrozenTable


cdef class FrozenDatabase(FrozenTable):
    pass


cdef class Freezer(Freezing):
    cdef list databases
    cdef list values

    cdef int freeze(self, int index, Entry *entry) except -1
    cdef int end_first(self, Frozen frozen) except -1
