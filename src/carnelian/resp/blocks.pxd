cdef char* obtain(Py_ssize_t size)
cdef void release(char* block, Py_ssize_t size) noexcept
cdef void count(Py_ssize_t change) noexcept
cpdef Py_ssize_t allocated() noexcept
