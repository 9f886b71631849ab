cdef enum:
    NX = 1
    XX = 2
    IFEQ = 4
    IFNE = 8
    IFDEQ = 16
    IFDNE = 32
    GET = 64
    KEEPTTL = 128
    PERSIST = 256
    EX = 512
    PX = 1024
    EXAT = 2048
    PXAT = 4096

cdef enum:
    COMPARISONS = IFEQ | IFNE | IFDEQ | IFDNE
    CONDITIONS = NX | XX | COMPARISONS
    TIMES = EX | PX | EXAT | PXAT
    LIFETIMES = KEEPTTL | PERSIST | TIMES


cdef class Options:
    cdef int given
    cdef bytes operand  # of the comparison
    cdef bytes time

    cdef int unit(self) noexcept

cdef int word(bytes text) except -1
cdef Options parse(list args, Py_ssize_t start, int allowed)
