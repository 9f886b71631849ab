from carnelian.datatypes.tables.entry cimport Entry
from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.packs.listpack cimport Pack
from carnelian.datatypes.collections.by_score cimport Cursor, Tree
from carnelian.datatypes.collections.scored_pack cimport ScoreRange, Span, TextRange
from carnelian.datatypes.base.sink cimport Sink
from carnelian.datatypes.tables.table cimport Table
from carnelian.datatypes.base.value cimport Value
from libc.stdint cimport uint64_t

ctypedef Entry *EntryPointer

# Whether a member of that score is wanted.
ctypedef bint (*Wanted)(double score, void *context) noexcept nogil

cdef enum:  # conditions of put()
    NX = 1
    XX = 2
    GT = 4
    LT = 8
    INCREMENT = 16

cdef enum:  # outcomes of put()
    UNCHANGED = 0
    ADDED = 1
    UPDATED = 2
    SKIPPED = 3
    NOT_A_NUMBER = 4

cdef class SortedSet(Value):
    cdef Pack pack     # NULL in the big form
    cdef Table table   # None in the small form
    cdef Tree *tree

    cpdef bytes encoding(self)
    cpdef Py_ssize_t memory(self) except -1
    cpdef Py_ssize_t free_effort(self) except -1
    cpdef copy(self)
    cpdef Py_ssize_t size(self) except -1

    cdef bint lookup(self, bytes member, double *score) except -1
    cdef Py_ssize_t rank(self, bytes member, double *score) except -2
    cdef int put(self, bytes member, double *score, int conditions, Limits limits) except -1
    cdef bint remove(self, bytes member) except -1

    cdef int score_span(self, const ScoreRange *bounds, Span *span) except -1
    cdef int text_span(self, const TextRange *bounds, bint reverse, Span *span) except -1
    cdef int remove_span(self, const Span *span) except -1
    cdef list slice(self, Py_ssize_t rank, Py_ssize_t count, bint reverse, int shape)
    cdef int pour(
        self, Py_ssize_t rank, Py_ssize_t count, bint reverse, bint with_scores, Sink sink
    ) except -1
    cdef int choose(
        self, const Span *span, Wanted wanted, void *context, Py_ssize_t most, list members
    ) except -1
    cdef list random_pairs(self, Py_ssize_t count, int shape)
    cdef list sample(self, Py_ssize_t count, int shape)
    cdef uint64_t scan(self, uint64_t cursor, Py_ssize_t count, list found) except? 1

    cdef Py_ssize_t count_below(self, double score, bint through) noexcept
    cdef Py_ssize_t count_texts(self, const char *text, Py_ssize_t length, bint through) noexcept
    cdef int grow(self) except -1
    cdef Entry *find(self, bytes member) noexcept
    cdef int add_entry(
        self, const char *text, Py_ssize_t length, uint64_t hash, double score
    ) except -1
    cdef int enter(self, Entry *entry) except -1
    cdef int drop_entry(self, Entry *entry) except -1
    cdef int put_small(self, bytes member, double *score, int conditions, Limits limits) except -1
    cdef int put_big(self, bytes member, double *score, int conditions) except -1

cdef double score_of(const Entry *entry) noexcept nogil
cdef SortedSet of_sorted(list pairs, Limits limits)
