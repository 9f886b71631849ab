cdef object Attribute
cdef object BigNumber
cdef object Error
cdef object FlatMap
cdef object NULL_ARRAY
cdef object OK
cdef object PlainFloat
cdef object Status
cdef object Verbatim


cdef class Shaper:
    cdef readonly int protocol
    cdef readonly str encoding
    cdef readonly str errors
    cdef readonly object make_error

    cpdef shape(self, value)
    cdef other(self, value, kind)
    cdef list elements(self, value)
    cdef mapping(self, pairs)
