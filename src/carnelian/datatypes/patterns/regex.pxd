from libc.stdint cimport int32_t, uint8_t

cdef enum:
    MOST_STATES = 256
    UNKNOWN = -1

cdef struct Step:      # an instruction; places are absolute
    int32_t kind
    int32_t first
    int32_t second

cdef struct State:     # a set of places at which the program may be
    int32_t *places
    Py_ssize_t count
    bint matches
    bint matches_at_end
    int32_t next[256]

cdef struct Around:    # what is asked about
    bint begin
    bint end
    bint word_before
    bint word_behind
    bint later         # whether there is more to come may be told later


cdef class Regex:
    cdef Step *steps
    cdef Py_ssize_t length
    cdef uint8_t *sets       # 256 bytes for each set: whether it has that byte
    cdef bint asks_words
    cdef int32_t *marks      # by place: when it was reached last
    cdef int32_t mark
    cdef int32_t *stack
    cdef int32_t *found      # places that were reached
    cdef int32_t *carried
    cdef State *states
    cdef Py_ssize_t count
    cdef dict known          # states by their places

    cdef bint matches(self, const char *text, Py_ssize_t length) except -1
    cpdef bint search(self, bytes text) except -1

    cdef int lay_out(self, list program, list sets) except -1
    cdef bint run(self, const uint8_t *text, Py_ssize_t length) except -1
    cdef bint run_states(self, const uint8_t *text, Py_ssize_t length) except -1
    cdef bint reach(self, int32_t place, Py_ssize_t *count, const Around *around) noexcept nogil
    cdef int32_t begin(self) except -1
    cdef int32_t follow(self, int32_t state, uint8_t byte) except -1
    cdef int32_t state_of(self, Py_ssize_t count, bint matches, bint begin) except -1
    cdef void forget(self) noexcept
