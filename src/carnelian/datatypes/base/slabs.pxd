from libc.stdint cimport uint32_t

cdef enum:
    LARGEST_CELL = 1024  # larger sizes come from the general allocator

cdef struct Slab:  # the first line of each slab; cells follow it
    Slab *next
    Slab *previous
    void *free       # cells given back, each pointing to the next
    uint32_t unused  # offset of the cells that were never taken
    uint32_t taken   # cells in use
    uint32_t cell    # size of a cell

cdef struct SizeClass:
    Slab *current    # cells are taken from this one
    Slab *partial    # others with cells to take
    uint32_t cell


# What `size` bytes are rounded up to: steps of 8 bytes up to 128, of 16 up to 256, of 32 up to 512,
# of 64 up to 1024; what is larger has 8 bytes before it and is a multiple of 16 with them.
cdef inline size_t cell_size(size_t size) noexcept nogil:
    if size <= 128:
        return (size + 7) & ~<size_t>7 if size else 8
    if size <= 256:
        return (size + 15) & ~<size_t>15
    if size <= 512:
        return (size + 31) & ~<size_t>31
    if size <= LARGEST_CELL:
        return (size + 63) & ~<size_t>63
    return ((size + 23) & ~<size_t>15) - 8


# What `size` bytes that grow and shrink are rounded up to: where that is no cell, with up to a
# thirty-second in reserve, so that few changes move them.
cdef inline Py_ssize_t capacity(Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t step = 32
    if size <= LARGEST_CELL:
        return cell_size(size)
    while step << 6 <= size:
        step <<= 1
    return ((size + 8 + step - 1) & ~(step - 1)) - 8

cdef void *take(size_t size) except NULL
cdef void *retake(void *cell, Py_ssize_t old, Py_ssize_t size) except NULL
cdef void give(void *cell, size_t size) noexcept nogil
cdef size_t cell_memory(const void *cell, size_t size) noexcept nogil
