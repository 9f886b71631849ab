cdef enum:
    HASH_SLOTS = 16384
    STEP = 8  # bytes that are taken at a time, each by a table of its own

cdef int slot_of(const char *key, Py_ssize_t length) noexcept nogil
cpdef int hash_slot(bytes key) noexcept
cpdef int slot_of_pattern(bytes pattern) noexcept
