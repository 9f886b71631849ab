from carnelian.engine.session cimport Session
from libc.stdint cimport int64_t

cdef struct Selection:
    int kind
    int reverse
    bint with_scores
    int64_t offset
    int64_t count

cdef store(Session session, bytes key, list pairs, bytes event, Py_ssize_t count=*)
