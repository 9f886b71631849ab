from libc.stdint cimport uint64_t

cdef uint64_t index_of(bytes text, bint any=*) except? 0xFFFFFFFFFFFFFFFF
cdef object unsigned(uint64_t number)
