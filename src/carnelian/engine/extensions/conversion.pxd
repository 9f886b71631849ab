cdef int MAX_DEPTH


cpdef bytes encode(value)
cpdef list encode_all(words)
cpdef plain(value)
