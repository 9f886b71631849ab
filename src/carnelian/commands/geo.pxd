from carnelian.datatypes.collections.nearby cimport Nearby
from carnelian.datatypes.collections.sorted_set cimport SortedSet


cdef class Query:
    cdef Nearby nearby
    cdef double unit             # in meters
    cdef bytes destination       # None: reply
    cdef bint store_distances
    cdef bint with_distance
    cdef bint with_hash
    cdef bint with_position
    cdef bint any
    cdef bint from_member
    cdef bint from_position
    cdef bint by_radius
    cdef bint by_box
    cdef int order
    cdef Py_ssize_t count        # 0: all

    cdef int read_position(self, list args, Py_ssize_t at) except -1
    cdef int read_member(self, SortedSet value, bytes member) except -1
    cdef int read_circle(self, list args, Py_ssize_t at) except -1
    cdef int read_box(self, list args, Py_ssize_t at) except -1
    cdef int read_options(
        self, list args, Py_ssize_t first, int allowed, SortedSet value
    ) except -1
    cdef Py_ssize_t read_option(
        self, list args, Py_ssize_t at, bytes option, int allowed
    ) except -1
    cdef Py_ssize_t read_shape(
        self, list args, Py_ssize_t at, bytes option, SortedSet value
    ) except -1
    cdef int check(self, int allowed, bytes name) except -1
    cdef Py_ssize_t run(self, SortedSet value) except -1
    cdef list reply(self, Py_ssize_t count)
    cdef list pairs(self, Py_ssize_t count)
