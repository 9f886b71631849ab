cdef object OK
cdef object PONG
