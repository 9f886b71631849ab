from carnelian.datatypes.tables.slot_index cimport SlotIndex
from carnelian.datatypes.tables.table cimport Table


cdef class Trash:
    cdef readonly Py_ssize_t pending
    cdef readonly Py_ssize_t freed
    cdef list tables
    cdef list values
    cdef list indexes

    cdef int add_table(self, Table table) except -1
    cdef int add_index(self, SlotIndex index) except -1
    cdef int add_value(self, object value) except -1
    cdef bint step(self) except -1
    cdef free_value(self)
    cdef drain_table(self)
    cdef drain_index(self)
