cdef extern from "<string.h>" nogil:
    void *memmem(const void *text, size_t length, const void *part, size_t part_length)

cdef extern from "<stdlib.h>" nogil:
    long double strtold(const char *text, char **stop)

cdef extern from "<math.h>" nogil:
    bint isnan(long double value)
    bint isinf(long double value)
