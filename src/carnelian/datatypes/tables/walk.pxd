from carnelian.datatypes.tables.entry cimport Entry
from carnelian.datatypes.tables.table cimport Array, Bucket
from libc.stdint cimport uint64_t

cdef struct Walk:  # over all entries of a table that does not change meanwhile
    const Array *main
    const Array *target
    Py_ssize_t moved    # buckets of main that are not to be looked at
    uint64_t number     # of the next bucket, those of target after those of main
    const Bucket *bucket
    int slot

cdef void begin_walk(
    Walk *walk, const Array *main, const Array *target, Py_ssize_t moved
) noexcept nogil
cdef Entry *walk_on(Walk *walk) noexcept nogil
