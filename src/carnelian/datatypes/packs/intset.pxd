from libc.stdint cimport int64_t, uint8_t

# The bytes of an intset, in memory of their own. Changes may move them, and so take the address of
# the pointer.
ctypedef uint8_t *Ints
ctypedef const uint8_t *Bytes

# Making
cdef Ints create() except NULL
cdef Ints from_text(const char *data, Py_ssize_t length) except NULL
cdef Ints duplicate(Bytes ints) except NULL
cdef void destroy(Ints ints) noexcept nogil

# Reading
cdef Py_ssize_t count_of(Bytes ints) noexcept nogil
cdef Py_ssize_t total_of(Bytes ints) noexcept nogil
cdef Py_ssize_t memory_of(Bytes ints) noexcept nogil
cdef int64_t get(Bytes ints, Py_ssize_t index) noexcept nogil
cdef bint contains(Bytes ints, int64_t number) noexcept nogil

# Changing
cdef bint add(Ints *ints, int64_t number) except -1
cdef bint remove(Ints *ints, int64_t number) except -1
