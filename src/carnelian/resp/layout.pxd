"""Constants and structures that the modules of this package share."""

cdef enum:
    # The common size of buffers, and what each has beyond its size for scans to run into.
    BLOCK = 16384
    SLACK = 16

# A piece of output; `value` is an owned reference or NULL, and one more than that where the memory
# is counted elsewhere; `block` is a block to give back or NULL.
cdef struct Segment:
    char* data
    Py_ssize_t size
    void* value
    char* block

# The end of an output buffer at some time.
cdef struct Mark:
    int count
    char* block
    char* head
    char* tail
    Py_ssize_t sealed
    Py_ssize_t held
