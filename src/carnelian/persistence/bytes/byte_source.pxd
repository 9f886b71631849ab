from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef class Source:
    cdef const uint8_t *data  # what was fetched
    cdef Py_ssize_t at        # where reading goes on in it
    cdef Py_ssize_t end
    cdef uint8_t *buffer      # the memory that data is in, NULL for bytes
    cdef Py_ssize_t room
    cdef bytes held
    cdef int fd
    cdef int64_t before       # bytes of the file before data
    cdef int64_t total        # bytes that there are
    cdef Py_ssize_t summed    # bytes of data that crc is the sum of
    cdef uint64_t crc
    cdef bint checking
    cdef bint fed             # data come by feed(), and there may be more of them
    cdef int64_t wanted       # bytes from the mark on without which reading cannot go on
    cdef uint8_t *scratch     # the text that was read last if it does not stand in data
    cdef Py_ssize_t scratch_room
    cdef uint8_t *kept        # a text that was put aside
    cdef Py_ssize_t kept_room
    cdef char digits[24]

    cdef const uint8_t *take(self, Py_ssize_t length) except NULL
    cdef int read_byte(self) except -1
    cdef uint64_t read_length(self) except? 0xFFFFFFFFFFFFFFFF
    cdef Py_ssize_t read_count(self) except -1
    cdef int64_t read_word(self) except? -1
    cdef double read_double(self) except? -1
    cdef const char *read_text(self, Py_ssize_t *length) except NULL
    cdef const char *retain(self, const char *text, Py_ssize_t length) except NULL
    cdef bytes read_bytes(self)
    cdef int64_t position(self) noexcept
    cdef int64_t left(self) noexcept

    cdef int lack(self, uint64_t length) except -1
    cdef int feed(self, bytes data) except -1
    cdef int rewind(self, Py_ssize_t at) noexcept
    cdef int fetch(self, Py_ssize_t length) except -1
    cdef int sum_up(self) noexcept
    cdef uint64_t read_prefix(self, bint *special) except? 0xFFFFFFFFFFFFFFFF
    cdef const char *read_stream(self, Py_ssize_t *length) except NULL
