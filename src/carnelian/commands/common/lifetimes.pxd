from carnelian.engine.session cimport Session

cdef enum:  # how a time is given
    SECONDS = 1
    ABSOLUTE = 2

cdef long long integer(bytes text) except? -1
cdef long long deadline(Session session, bytes text, int unit, str command) except -1
cdef bint has_passed(Session session, long long moment) except -1
cdef int drop(Session session, bytes key) except -1
cdef int outlive(Session session, bytes key, long long moment) except -1
