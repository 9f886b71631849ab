from carnelian.datatypes.algorithms.bit_arrays cimport octets
from libc.stdint cimport int64_t, uint64_t

cdef enum:  # of a representation
    DENSE = 0
    SPARSE = 1

cdef enum:
    REGISTERS = 16384
    HEADER = 16
    DENSE_SIZE = 12304

cdef bint is_valid(octets data, Py_ssize_t length) noexcept nogil
cdef int rank_of(octets element, Py_ssize_t length, int *index) noexcept nogil
cdef bint raise_register(unsigned char *registers, int index, int rank) noexcept nogil
cdef bint merge(octets data, Py_ssize_t length, unsigned char *ranks) noexcept nogil
cdef int64_t estimate(octets data, Py_ssize_t length) noexcept nogil
cdef int64_t estimate_ranks(octets ranks) noexcept nogil
cdef int64_t cached(octets data) noexcept nogil
cdef void cache(unsigned char *data, int64_t cardinality) noexcept nogil
cdef void invalidate(unsigned char *data) noexcept nogil


cdef class Sketch:
    cdef unsigned char *data
    cdef Py_ssize_t length
    cdef Py_ssize_t room

    cdef int load(self, octets data, Py_ssize_t length) except -1
    cdef int clear(self) except -1
    cdef int encoding(self) noexcept
    cdef int add(self, octets element, Py_ssize_t length, int64_t most) except -2
    cdef int raise_to(self, int index, int rank, int64_t most) except -2
    cdef bint make_dense(self) except -1
    cpdef list ranks(self)
    cpdef bytes opcodes(self)

    cdef int reserve(self, Py_ssize_t length) except -1
    cdef int raise_sparse(self, int index, int rank, int64_t most) except -2
    cdef int promote(self, int index, int rank) except -2
    cdef bint split(
        self, Py_ssize_t at, int size, int run, int old, int place, int rank, int64_t most
    ) except -1
    cdef void join(self, Py_ssize_t at) noexcept
