from cpython.object cimport PyObject

cdef struct Cut:  # a command out of a buffer
    PyObject *words  # its list, owned
    Py_ssize_t stop  # where it ends in the buffer
    Py_ssize_t size  # of its arguments together

cdef list obtain(Py_ssize_t count)
cdef bytes name(const char* text, Py_ssize_t size)
cdef int put(list command, Py_ssize_t at, bytes argument) except -1
cdef int place(list command, Py_ssize_t at, const char* text, Py_ssize_t size) except -1
cdef int renew(list command, Py_ssize_t at, const char* text, Py_ssize_t size) except -1
cdef Py_ssize_t cut(
    const char* start, const char* end, Py_ssize_t bound, Cut* made
) except -1
cdef void recycle(list command) noexcept


# Reads up to 9 digits and a CR; the bytes up to and with the LF that has to follow. 0 when there
# is anything else, which may still be a number.
cdef inline Py_ssize_t plain_length(const char* at, Py_ssize_t* value) noexcept nogil:
    cdef Py_ssize_t size = 1
    cdef unsigned int digit = <unsigned int>at[0] - 48
    cdef unsigned int total = digit
    if digit > 9:
        return 0
    if at[1] == 13:
        value[0] = total
        return 3
    if digit == 0:
        return 0
    while size < 9:
        digit = <unsigned int>at[size] - 48
        if digit > 9:
            break
        total = total * 10 + digit
        size += 1
    if at[size] != 13:
        return 0
    value[0] = total
    return size + 2
