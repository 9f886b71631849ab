from carnelian.datatypes.streams.group cimport Consumer, Group, Pending
from carnelian.datatypes.streams.stream cimport Trim
from carnelian.datatypes.streams.ids cimport Id
from carnelian.engine.session cimport Session
from libc.stdint cimport int64_t, uint64_t


cdef class Trimming:
    cdef bint no_stream
    cdef Py_ssize_t threshold
    cdef Id id
    cdef bint has_id
    cdef bint any_seq      # the id is only a time, any number will do
    cdef Py_ssize_t named  # where IDMP or IDMPAUTO stands, 0 if it does not
    cdef bytes producer
    cdef bytes name        # None with IDMPAUTO

cdef int read_id(bytes word, Id *id, uint64_t missing) except -1
cdef int read_new_id(bytes word, Id *id, bint *any_seq) except -1
cdef int read_start(bytes word, Id *id) except -1
cdef int read_end(bytes word, Id *id) except -1
cdef list read_ids(list words, Py_ssize_t start, Py_ssize_t end)
cdef int64_t read_count(bytes word) except? -1
cdef int read_policy(bytes option)
cdef Py_ssize_t read_trimming(Session session, list args, Trim *how, bint adding, Trimming found) except -1

cdef Py_ssize_t read_name(list args, Py_ssize_t at, Trimming found) except -1

cdef Consumer consumer_for(Session session, bytes key, Group group, bytes name)
cdef void count_delivery(Pending *pending) noexcept
cdef bint is_listened(Session session)
cdef propagate(Session session, list words)
cdef propagate_claim(Session session, bytes key, Group group, const Pending *pending)
cdef propagate_group(Session session, bytes key, Group group)
cdef propagate_consumer(Session session, bytes key, Group group, bytes name)
