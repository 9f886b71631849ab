from carnelian.datatypes.arrays.array_slices cimport Slice, SlicePointer
from libc.stdint cimport uint32_t, uint64_t

# Where the slices of an array are: a row of leaves, each with up to LEAF_SEATS of them, all in the
# order of their numbers, which are what their indexes have in common.
cdef enum:
    LEAF_SEATS = 256

cdef struct Seat:
    uint64_t number
    SlicePointer slice

cdef struct Leaf:  # seats follow
    uint32_t count
    uint32_t room

cdef struct Shelf:
    uint64_t first    # the number of the first seat
    Leaf *leaf

cdef struct Index:
    Shelf *shelves
    Py_ssize_t count  # of leaves
    Py_ssize_t room   # for shelves
    Py_ssize_t slices

ctypedef Seat *SeatPointer
ctypedef Leaf *LeafPointer

cdef struct Place:    # a seat, or where one would be
    Py_ssize_t shelf
    Py_ssize_t seat


cdef inline Seat *seats_of(Leaf *leaf) noexcept nogil:
    return <Seat *>(leaf + 1)


# Where the slice of a seat is to be looked for, as it may move.
cdef inline SlicePointer *home_of(Seat *seat) noexcept nogil:
    return &seat.slice


cdef inline Seat *seat_at(Index *index, const Place *place) noexcept nogil:
    return seats_of(index.shelves[place.shelf].leaf) + place.seat

cdef Seat *find(Index *index, uint64_t number) noexcept nogil
cdef bint seek(Index *index, uint64_t number, bint forward, Place *place) noexcept nogil
cdef bint step(Index *index, bint forward, Place *place) noexcept nogil
cdef Seat *last_seat(Index *index) noexcept nogil
cdef Seat *insert(Index *index, uint64_t number, Slice *slice) except NULL
cdef void remove(Index *index, Place *place) noexcept
cdef Py_ssize_t index_memory(Index *index) noexcept nogil
cdef void free_index(Index *index) noexcept nogil
