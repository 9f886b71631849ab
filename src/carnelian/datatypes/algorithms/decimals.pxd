cdef bint is_space(char char) noexcept nogil
cdef bint to_longlong(const char* text, Py_ssize_t size, long long* value) noexcept nogil
cdef bint to_double(const char* text, Py_ssize_t size, double* value) noexcept nogil

cdef Py_ssize_t digits(char* out, unsigned long long value) noexcept nogil
cdef Py_ssize_t put_longlong(char* out, long long value) noexcept nogil
cdef Py_ssize_t put_double(char* out, double value) except -1
cdef Py_ssize_t put_plain(char* out, double value) noexcept nogil
cdef Py_ssize_t trimmed(char* out, Py_ssize_t size) noexcept nogil
