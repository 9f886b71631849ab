from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.base.sink cimport Sink

cdef enum:  # what slice() makes of each pair
    MEMBERS = 0  # the member alone
    FLAT = 1     # member and score one after the other
    PAIRS = 2    # a list of both

cdef enum:  # one end of a range of texts
    TEXT = 0
    LOWEST = 1
    HIGHEST = 2

cdef struct ScoreRange:
    double low
    double high
    bint low_open
    bint high_open

cdef struct TextRange:
    const char *low
    const char *high
    Py_ssize_t low_length
    Py_ssize_t high_length
    int low_kind
    int high_kind
    bint low_open
    bint high_open

cdef struct Span:  # ranks, the last one excluded
    Py_ssize_t start
    Py_ssize_t stop

cdef double score_at(Pack pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t find(
    Pack pack, const char *text, Py_ssize_t length, double *score
) noexcept nogil
cdef int put(Pack *pack, const char *text, Py_ssize_t length, double score) except -1
cdef int append(Pack *pack, const char *text, Py_ssize_t length, double score) except -1
cdef int remove(Pack *pack, Py_ssize_t at) except -1
cdef Py_ssize_t rank_at(Pack pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t count_below(Pack pack, double score, bint through) noexcept nogil
cdef int compare_at(
    Pack pack, Py_ssize_t at, const char *text, Py_ssize_t length
) noexcept nogil
cdef bint is_empty(const TextRange *bounds) noexcept nogil
cdef void text_span(
    Pack pack, const TextRange *bounds, bint reverse, Span *span
) noexcept nogil
cdef int pour(
    Pack pack, Py_ssize_t rank, Py_ssize_t count, bint reverse, bint with_scores, Sink sink
) except -1
cdef list slice(Pack pack, Py_ssize_t rank, Py_ssize_t count, bint reverse, int shape)
