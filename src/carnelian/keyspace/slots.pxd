from carnelian.datatypes.tables.table cimport Found
from carnelian.keyspace.store cimport Store
from libc.stdint cimport uint32_t, uint64_t


cdef class Slots(Store):
    cpdef Py_ssize_t count_in_slot(self, int slot) except -1
    cpdef list keys_in_slot(self, int slot, Py_ssize_t count)
    cpdef list delete_slot(self, int slot, Py_ssize_t count, bint lazy=*)
    cpdef tuple scan_slot(
        self, int slot, uint64_t cursor, Py_ssize_t count=*, bytes type_name=*
    )
    cpdef index_slots(self)

    cdef int check_slot(self, int slot) except -1
    cdef int slot_to_search(self, bytes pattern) noexcept
    cdef tuple scan_slot_part(
        self, int slot, uint64_t cursor, Py_ssize_t count, bytes type_name, list overdue
    )
    cdef uint64_t gather(
        self, int slot, uint64_t cursor, Py_ssize_t wanted, Found *found
    ) except? 1
    cdef int look_up(
        self, int slot, const uint32_t *numbers, Py_ssize_t count, Found *found
    ) except -1
