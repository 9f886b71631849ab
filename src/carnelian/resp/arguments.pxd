cdef list obtain(Py_ssize_t count)
cdef bytes name(const char* text, Py_ssize_t size)
cdef int put(list command, Py_ssize_t at, bytes argument) except -1
cdef int place(list command, Py_ssize_t at, const char* text, Py_ssize_t size) except -1
cdef int renew(list command, Py_ssize_t at, const char* text, Py_ssize_t size) except -1
cdef void recycle(list command) noexcept
