cdef object OK
