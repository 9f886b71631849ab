cdef class Value:
    cpdef bytes encoding(self)
    cpdef Py_ssize_t memory(self) except -1
    cpdef Py_ssize_t free_effort(self) except -1
    cpdef copy(self)
    cpdef Py_ssize_t size(self) except? -1
    cpdef bint has_timed_parts(self) except -1
    cpdef bint has_newer_form(self) except -1
