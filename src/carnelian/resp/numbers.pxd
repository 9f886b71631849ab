cdef bint to_longlong(const char* text, Py_ssize_t size, long long* value) noexcept nogil
cdef Py_ssize_t digits(char* out, unsigned long long value) noexcept nogil
cdef Py_ssize_t put_longlong(char* out, long long value) noexcept nogil
cdef bint to_double(const char* text, Py_ssize_t size, double* value) noexcept nogil
cdef Py_ssize_t put_double(char* out, double value) except -1
cdef Py_ssize_t put_plain(char* out, double value) noexcept nogil

cpdef object parse_int(bytes text)
cpdef double parse_float(bytes text, message=*) except? -1.0
cpdef bytes format_int(long long value)
cpdef bytes format_float(double value)
cpdef bytes format_plain(double value)
cpdef bytes add_floats(bytes current, bytes increment)
