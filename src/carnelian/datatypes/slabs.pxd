from libc.stdint cimport uint32_t


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


cdef void *take(size_t size) except NULL
cdef void give(void *cell, size_t size) noexcept nogil
cdef size_t cell_size(size_t size) noexcept nogil
cdef size_t cell_memory(const void *cell, size_t size) noexcept nogil
