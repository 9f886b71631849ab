cdef object NULL_ARRAY
