from carnelian.resp.command_buffer cimport CommandBuffer
from libc.stdint cimport int64_t

cdef enum:
    ITEMS = 64            # of a collection in one command
    TAKEN = 64 * 64       # of a collection, taken out of it at a time
    GATHERED = 128 * 1024  # bytes that are gathered before they are written


cdef class CommandFile:
    cdef CommandBuffer buffer
    cdef int fd
    cdef object spool
    cdef bint syncing
    cdef int64_t written
    cdef int64_t synced

    cdef int put(self, list words) except -1
    cdef int put_some(self, bytes verb, bytes key, list words, Py_ssize_t most) except -1
    cdef int flush(self, Py_ssize_t least) except -1
