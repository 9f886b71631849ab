ctypedef const unsigned char *octets


cdef class Digest:
    cdef unsigned char state[20]

    cpdef blend(self, bytes data)
    cpdef chain(self, bytes data)
