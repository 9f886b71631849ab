from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

ctypedef const unsigned char *octets

cdef enum:  # what combine() makes of its sources
    AND = 1
    OR = 2
    XOR = 3
    NOT = 4
    DIFF = 5
    DIFF1 = 6
    ANDOR = 7
    ONE = 8

cdef struct Source:
    octets data
    Py_ssize_t length
    char digits[24]  # where the text of an integer stands

cdef inline uint64_t word_at(octets data) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, data, 8)
    return word

cdef inline void put_word(unsigned char *data, uint64_t word) noexcept nogil:
    memcpy(data, &word, 8)

cdef int64_t count(octets data, int64_t first, int64_t last) noexcept nogil
cdef int64_t find(octets data, int64_t first, int64_t last, bint bit) noexcept nogil
cdef void combine(
    int operation, unsigned char *out, Py_ssize_t total, const Source *sources, Py_ssize_t given
) noexcept nogil
cdef uint64_t field(octets data, Py_ssize_t length, uint64_t offset, int width) noexcept nogil
cdef void set_field(
    unsigned char *data, uint64_t offset, int width, uint64_t value
) noexcept nogil
