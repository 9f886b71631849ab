from carnelian.datatypes.arrays.slice_index cimport Index, Place
from carnelian.datatypes.arrays.array_slices cimport Slice
from libc.stdint cimport uint64_t

cdef struct Walk:
    Index *index
    Slice *slice      # NULL: the next one has not been looked for
    uint64_t base     # the index of its offset 0
    uint64_t low
    uint64_t high
    Place place
    Py_ssize_t at     # place in the slice that comes next
    int shift
    bint forward
    bint more         # whether there is a slice at the place

cdef void begin_walk(
    Walk *walk, Index *index, int shift, uint64_t start, uint64_t end
) noexcept nogil
cdef bint walk_on(Walk *walk, uint64_t *index, uint64_t *word) noexcept nogil
