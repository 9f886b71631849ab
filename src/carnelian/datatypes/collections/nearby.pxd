from carnelian.datatypes.algorithms.geohash cimport Shape
from carnelian.datatypes.collections.sorted_set cimport SortedSet

cdef struct Point:
    double distance   # from the middle of the shape, in meters
    double longitude
    double latitude
    double score
    Py_ssize_t index  # of the member

cdef struct Points:
    Shape shape
    Point *items
    Py_ssize_t count
    Py_ssize_t room
    bint failed       # for want of memory


cdef class Nearby:
    cdef Points points
    cdef list members

    cdef int search(self, SortedSet value, Py_ssize_t most) except -1
    cdef int sort(self, bint descending) except -1
    cdef const Point *at(self, Py_ssize_t index) noexcept
    cdef bytes member(self, Py_ssize_t index)
