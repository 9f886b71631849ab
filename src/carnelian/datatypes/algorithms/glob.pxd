cdef bint match_chars(
    const char* pattern, Py_ssize_t pattern_size,
    const char* text, Py_ssize_t text_size, bint nocase) noexcept nogil

cpdef bint matches(bytes pattern, bytes text, bint nocase=*)
