from carnelian.datatypes.id_tree cimport Tree
from carnelian.datatypes.stream_id cimport Id
from libc.stdint cimport int64_t, uint64_t


cdef struct Pending:   # an item of the tree of a group
    Id id
    int64_t time       # of the last delivery, in ms
    int64_t count      # of deliveries
    void *consumer     # not counted as a reference: the group holds it


ctypedef Pending *PendingPointer


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

    cpdef Py_ssize_t size(self) noexcept
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


cdef Consumer owner(const Pending *pending)
