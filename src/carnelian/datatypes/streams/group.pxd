from carnelian.datatypes.streams.by_id cimport Tree
from carnelian.datatypes.streams.ids cimport Id
from libc.stdint cimport INT64_MIN, int64_t, uint64_t

cdef struct Pending:   # an item of the tree of a group
    Id id
    int64_t time       # of the last delivery, in ms; a number that rises where there is no consumer
    int64_t count      # of deliveries
    void *consumer     # not counted as a reference: the group holds it; NULL once it was released


ctypedef Pending *PendingPointer

cdef enum:
    DUE_KEPT = 1000    # entries that are put into order at a time

cdef inline int64_t time_of(const Pending *pending) noexcept nogil:
    return pending.time if pending.consumer is not NULL else 0

cdef inline int64_t rank_of(const Pending *pending) noexcept nogil:
    # What was released comes before all that was delivered, in the order in which it was.
    return pending.time if pending.consumer is not NULL else INT64_MIN + pending.time


cdef class Consumer:
    cdef readonly bytes name
    cdef public int64_t seen_ms
    cdef public int64_t active_ms
    cdef Tree pending  # ids only

    cpdef Py_ssize_t size(self) noexcept
    cpdef Py_ssize_t memory(self) except -1


cdef class Group:
    cdef readonly bytes name
    cdef Id last
    cdef public int64_t entries_read
    cdef Tree pending
    cdef dict consumers
    cdef readonly Py_ssize_t released   # pending entries without a consumer
    cdef int64_t releases               # that there were
    # Entries by rank, the lowest at the end: all that were below `ordered`, as far as they are.
    cdef list due
    cdef int64_t ordered
    cdef bint awaited    # `ordered` is the rank of an entry

    cpdef Py_ssize_t size(self) noexcept
    cdef void cap(self, uint64_t most) noexcept
    cpdef Py_ssize_t memory(self) except -1
    cpdef bint free_some(self) except -1
    cpdef Consumer consumer(self, bytes name)
    cpdef Consumer add_consumer(self, bytes name, int64_t now_ms)
    cpdef Py_ssize_t remove_consumer(self, bytes name) except -1
    cpdef list in_order(self)
    cdef Group twin(self)
    cdef Pending *find(self, const Id *id) noexcept
    cdef Pending *deliver(self, const Id *id, Consumer consumer) except NULL
    cdef Pending *force(self, const Id *id) except NULL
    cdef int assign(self, Pending *pending, Consumer consumer) except -1
    cdef bint acknowledge(self, const Id *id) except -1
    cdef int stamp(self, Pending *pending, int64_t time) except -1
    cdef int release(self, Pending *pending) except -1
    cdef list take_due(self, int64_t latest, int64_t most)
    cdef int64_t next_due(self) noexcept
    cdef int put_in_order(self, int64_t latest, int64_t most) except -1
    cdef int forget_order(self) except -1
    cdef list released_in_order(self)

cdef Consumer owner(const Pending *pending)
