from carnelian.datatypes.streams.group cimport Consumer, Group
from carnelian.datatypes.streams.by_id cimport Tree
from carnelian.datatypes.streams.producers cimport Idempotency
from carnelian.datatypes.base.limits cimport Limits
from carnelian.datatypes.streams.ids cimport Id
from carnelian.datatypes.streams.node cimport Node
from carnelian.datatypes.streams.scan cimport Scan
from carnelian.datatypes.tables.table cimport Keeper
from carnelian.datatypes.base.value cimport Value
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    NO_TRIMMING = 0
    BY_LENGTH = 1
    BY_ID = 2

# What becomes of those for whom a deleted entry is pending.
cdef enum:
    KEEP_REFERENCES = 0
    DROP_REFERENCES = 1
    ACKNOWLEDGED_ONLY = 2

cdef struct Trim:
    int by
    bint approximate     # only whole nodes, if references are kept
    int policy
    int64_t limit        # entries to remove at most; 0 for any number
    int64_t length       # entries to leave
    Id lowest            # to leave
    Id reached           # all before it were looked at; by length, all that were removed are


ctypedef const Trim *TrimPointer


cdef class Stream(Value):
    cdef Tree nodes
    cdef readonly int64_t length
    cdef Id last         # the highest that was ever given out
    cdef Id first        # of the first entry; 0-0 if there is none
    cdef Id max_deleted
    cdef public uint64_t entries_added
    cdef dict named      # groups by name; None as long as there were none
    cdef public Idempotency idempotency  # None as long as nobody asked for it
    cdef Keeper keeper   # is handed numbered nodes before they change

    cpdef bint free_some(self) except -1
    cdef Scan scan(self, const Id *start, const Id *end, bint back)
    cdef bint fits(self, list words, Py_ssize_t start) except -1
    cdef int append(self, Limits limits, const Id *id, list words, Py_ssize_t start) except -1
    cdef bint next_id(self, uint64_t now_ms, Id *id) noexcept
    cdef bint has(self, const Id *id) except -1
    cdef bint erase(self, const Id *id) except -1
    cdef int renew_first(self) except -1
    cdef bint last_live(self, Id *id) except -1
    cdef bint edge(self, bint with_deleted, Id *id) except -1
    cdef int64_t trim(self, Trim *how) except -1
    cdef int64_t trim_node(self, Node *node, Trim *how) except -1
    cdef int keep(self, Node *node) except -1
    cdef int drop_node(self, Node *node) except -1
    cdef bint is_referenced(self, const Id *id) except -1
    cdef Py_ssize_t drop_references(self, const Id *id) except -1
    cpdef bint has_released(self) except -1
    cpdef bint has_newer_form(self) except -1

    cpdef Group group(self, bytes name)
    cpdef Group add_group(self, bytes name, tuple last_id, int64_t entries_read)
    cpdef Group remove_group(self, bytes name)
    cpdef list groups(self)
    cdef int64_t entries_up_to(self, const Id *id) noexcept
    cdef bint has_gap_from(self, const Id *id) noexcept
    cdef bint lag(self, Group group, int64_t *entries) noexcept
    cdef int advance(self, Group group, const Id *id) noexcept
