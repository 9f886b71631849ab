from libc.stdint cimport uint64_t

cdef enum:
    STEPS = 26        # of a position that is a score: two bits each
    HASH_LENGTH = 11  # of the text that GEOHASH replies
    CELLS = 9         # a cell and its neighbours

cdef struct Cell:  # a part of the world; none if both are zero
    uint64_t bits  # longitude and latitude in turns, as many bits as steps of each
    int steps

cdef struct Bounds:
    double west
    double east
    double south
    double north

cdef struct Shape:  # what a search covers, around a point, in meters
    double longitude
    double latitude
    bint is_box
    double radius
    double width
    double height
    double reach    # from the middle to the farthest point
    # Of a circle, for is_far(): the haversine of its radius, a product of cosines at its edge
    double limit
    double cosines


ctypedef const Cell *Cells
ctypedef const Shape *Shapes

cdef bint is_on_map(double longitude, double latitude) noexcept nogil
cdef double encode(double longitude, double latitude) noexcept nogil
cdef void decode(double score, double *longitude, double *latitude) noexcept nogil
cdef void write_hash(double longitude, double latitude, char *text) noexcept nogil
cdef double distance(
    double longitude, double latitude, double other_longitude, double other_latitude
) noexcept nogil
cdef void prepare(Shape *shape) noexcept nogil
cdef bint is_within(
    const Shape *shape, double longitude, double latitude, double *away
) noexcept nogil
cdef int cover(const Shape *shape, Cell *cells) noexcept nogil
cdef void scores_of(const Cell *cell, double *low, double *high) noexcept nogil
