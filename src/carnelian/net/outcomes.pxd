# Why a transport has read or written nothing.
cdef enum:
    WOULD_BLOCK = -1
    FAILED = -2
