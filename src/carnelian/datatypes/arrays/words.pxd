from libc.stdint cimport int64_t, uint64_t

# An element is a word: a number or a short text in itself, or the address of a longer text. Its
# two lowest bits say which. No element is 0, which is a free place.
cdef enum:
    HEAP = 0      # the address of a text, a multiple of 8
    INTEGER = 1
    FRACTION = 2  # a double whose two lowest bits are clear
    SHORT = 3     # length in bits 2 to 4, up to seven bytes above the lowest
    KIND = 3
    SHORT_TEXT = 7
    SCRATCH = 48  # bytes for the text of a word that is not on the heap


cdef inline int kind_of(uint64_t word) noexcept nogil:
    return word & KIND


cdef inline bint on_heap(uint64_t word) noexcept nogil:
    return word != 0 and (word & KIND) == HEAP


cdef inline int64_t integer_of(uint64_t word) noexcept nogil:
    return (<int64_t>word) >> 2


cdef uint64_t word_of(const char *text, Py_ssize_t length) except 0
cdef uint64_t word_of_integer(int64_t number) except 0
cdef uint64_t word_of_double(double number) except 0
cdef uint64_t word_of_text(const char *text, Py_ssize_t length) except 0
cdef double double_of(uint64_t word) noexcept nogil
cdef const char *text_of(uint64_t word, char *scratch, Py_ssize_t *length) noexcept
cdef bytes bytes_of(uint64_t word)
cdef bint is_text(uint64_t word, const char *text, Py_ssize_t length) noexcept
cdef uint64_t twin_of(uint64_t word) except 0
cdef Py_ssize_t heap_memory(uint64_t word) noexcept nogil
cdef void drop(uint64_t word) noexcept nogil
