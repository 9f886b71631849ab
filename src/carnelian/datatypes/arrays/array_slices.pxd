from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

# The elements of an array whose indexes have all but their lowest bits in common, which are their
# offsets. In a dense slice words stand by offset, from ``start`` on, some of them 0; in a sparse
# one there are as many words as elements, and their offsets, rising, behind all ``room`` of them.
cdef struct Slice:
    uint32_t count    # of elements
    uint32_t start    # of a dense slice
    uint32_t room     # for words
    uint16_t version
    uint8_t dense

ctypedef Slice *SlicePointer

cdef struct Rules:  # of an array, and the directives of the moment
    uint32_t size     # offsets that a slice has
    uint32_t kmax
    uint32_t kmin

cdef enum:
    NOWHERE = -1


cdef inline uint64_t *words_of(Slice *slice) noexcept nogil:
    return <uint64_t *>(slice + 1)


cdef inline uint16_t *offsets_of(Slice *slice) noexcept nogil:
    return <uint16_t *>(words_of(slice) + slice.room)


# The offset of the element at a place, and the number of places.
cdef inline uint32_t offset_at(Slice *slice, Py_ssize_t at) noexcept nogil:
    return slice.start + at if slice.dense else offsets_of(slice)[at]


cdef inline Py_ssize_t places_of(Slice *slice) noexcept nogil:
    return slice.room if slice.dense else slice.count

cdef Slice *new_slice(uint32_t offset, const Rules *rules, uint16_t version) except NULL
cdef Py_ssize_t slice_memory(Slice *slice) noexcept nogil
cdef void free_slice(Slice *slice) noexcept nogil
cdef Py_ssize_t texts_of(Slice *slice) noexcept nogil
cdef Slice *copy_of(Slice *slice) except NULL
cdef uint64_t word_at(Slice *slice, uint32_t offset) noexcept nogil
cdef Py_ssize_t place_from(Slice *slice, uint32_t offset, bint forward) noexcept nogil
cdef uint32_t last_offset(Slice *slice) noexcept nogil
cdef uint64_t *open_place(Slice **home, uint32_t offset, const Rules *rules) except NULL
cdef int open_run(
    Slice **home, uint32_t low, uint32_t high, const Rules *rules
) except -1
cdef uint64_t close_place(Slice *slice, uint32_t offset) noexcept nogil
cdef Py_ssize_t close_run(
    Slice *slice, uint32_t low, uint32_t high, Py_ssize_t *texts
) noexcept nogil
cdef int settle(Slice **home, const Rules *rules) except -1
