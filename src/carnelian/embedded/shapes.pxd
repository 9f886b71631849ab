cdef class Shaper:
    cdef readonly int protocol
    cdef readonly str encoding
    cdef readonly str errors
    cdef readonly object make_error

    cpdef shape(self, value)
    cdef other(self, value, kind)
    cdef list elements(self, value)
    cdef mapping(self, pairs)
