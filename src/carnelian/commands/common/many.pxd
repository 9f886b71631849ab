from carnelian.datatypes.base.sink cimport Sink
from carnelian.engine.session cimport Session

cdef enum:  # the forms that a reply of many members may take besides that of a list
    ROWS = 1   # as they go on the wire
    PARTS = 2  # made while they are written


cdef class Many:
    cdef int pour(self, Sink sink) except -1
    cdef list listed(self)
    cdef Py_ssize_t total(self) except? -2

cdef reply_of(Session session, Many members, Py_ssize_t size, char kind=*, int forms=*)
