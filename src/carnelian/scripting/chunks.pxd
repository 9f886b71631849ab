from carnelian.scripting.lua cimport State

# A script to be compiled, and what came of it.
cdef struct Chunk:
    const char *text
    size_t size
    const char *name
    int status
    int reference    # of the function, or of the error message if `status` is not 0


cdef int reference_chunk(State L) noexcept
cdef int load_text(State L, const char *text, size_t size, const char *name) noexcept
