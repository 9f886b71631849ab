cdef char* obtain(Py_ssize_t size)
cdef void release(char* block, Py_ssize_t size) noexcept
