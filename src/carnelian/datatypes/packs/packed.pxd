from carnelian.datatypes.packs.listpack cimport Pack


cdef class Listpack:
    cdef Pack pack

    cdef void _adopt(self, Pack pack) noexcept
    cdef Py_ssize_t place(self, Py_ssize_t index) except -1
