cdef extern from *:
    """
    #include <stdlib.h>
    #include <sys/mman.h>
    #if defined(__APPLE__)
    #include <malloc/malloc.h>
    #define carnelian_usable_size(block) malloc_size(block)
    #elif defined(__FreeBSD__)
    #include <malloc_np.h>
    #define carnelian_usable_size(block) malloc_usable_size(block)
    #else
    #include <malloc.h>
    #define carnelian_usable_size(block) malloc_usable_size(block)
    #endif
    #ifndef MAP_ANONYMOUS
    #define MAP_ANONYMOUS MAP_ANON
    #endif
    """
    size_t capacity "carnelian_usable_size"(void *block) noexcept nogil

cdef void *allocate(size_t size) except NULL
cdef void *reallocate(void *block, size_t size) except NULL
cdef void release(void *block) noexcept nogil
cdef void *allocate_zeroed(size_t size) except NULL
cdef Py_ssize_t block_memory(void *block) noexcept nogil
cdef void *map_zeroed(size_t size) except NULL
cdef void *reserve_pages(size_t size) except NULL
cdef void unmap(void *start, size_t size) noexcept nogil
cdef void discard_pages(void *start, size_t size) noexcept nogil
cdef void count(Py_ssize_t change) noexcept nogil
cdef Py_ssize_t bytes_object_size(Py_ssize_t length) noexcept nogil
cpdef Py_ssize_t used()
