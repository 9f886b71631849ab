from carnelian.datatypes.collections.scored_pack cimport ScoreRange, Span, TextRange
from carnelian.datatypes.collections.sorted_set cimport SortedSet
from libc.stdint cimport int64_t

cdef enum:  # what a range is one of
    RANKS = 0
    SCORES = 1
    TEXTS = 2

cdef struct Range:
    int kind
    int64_t start
    int64_t stop
    ScoreRange scores
    TextRange texts  # points into the arguments

cdef int parse(int kind, bytes low, bytes high, Range *range) except -1
cdef int span_of(SortedSet value, const Range *range, bint reverse, Span *span) except -1
