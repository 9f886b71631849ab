from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef class Sink:
    cdef uint8_t *data
    cdef Py_ssize_t length  # bytes in data
    cdef Py_ssize_t room
    cdef int fd             # -1: everything stays in data
    cdef uint64_t crc       # of what was flushed
    cdef int64_t flushed    # bytes
    cdef int64_t synced     # bytes that the kernel was told to write out
    cdef readonly int version
    cdef bint compressing
    cdef bint checking
    cdef bint syncing
    cdef readonly object spool   # None: there is none

    cdef int put(self, const void *data, Py_ssize_t length) except -1
    cdef int put_byte(self, int byte) except -1
    cdef int put_length(self, uint64_t length) except -1
    cdef int put_integer(self, int64_t number) except -1
    cdef int put_text(self, const char *text, Py_ssize_t length) except -1
    cdef int put_stream(self, const void *stream, Py_ssize_t length, Py_ssize_t plain) except -1
    cdef int put_word(self, int64_t word) except -1
    cdef int flush(self) except -1
    cdef bytes taken(self)
    cdef int64_t position(self) noexcept

    cdef int reserve(self, Py_ssize_t length) except -1
    cdef bint put_compressed(self, const char *text, Py_ssize_t length) except -1
    cdef int spool_out(self) except -1
    cdef int write_out(self, const uint8_t *data, Py_ssize_t length) except -1
    cdef int sync_some(self) except -1
