from carnelian.datatypes.base.bytes_object cimport PyBytesObject
from carnelian.resp.libc cimport get_item, new_bytes, set_item
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.string cimport memcpy

cdef struct Cut:  # a command out of a buffer
    PyObject *words  # its list, owned
    Py_ssize_t stop  # where it ends in the buffer
    Py_ssize_t size  # of its arguments together

cdef struct Run:  # arguments that are being put in
    const char *at  # where the next one begins in the buffer
    Py_ssize_t filled  # how many are in their place, of so many
    Py_ssize_t wanted
    Py_ssize_t size  # bytes of those that were put in

cdef list obtain(Py_ssize_t count)
cdef bytes name(const char* text, Py_ssize_t size)
cdef int put(list command, Py_ssize_t at, bytes argument) except -1
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


# Like put, for a copy of so many bytes.
cdef inline int place(
    list command, Py_ssize_t at, const char* text, Py_ssize_t size
) except -1:
    cdef PyObject *old
    if at >= PyList_GET_SIZE(command):
        command.append(PyBytes_FromStringAndSize(text, size))
        return 0
    old = get_item(command, at)
    if old != NULL:
        if PyBytes_GET_SIZE(<bytes>old) == size:
            memcpy(PyBytes_AS_STRING(<bytes>old), text, size)
            (<PyBytesObject *>old).ob_shash = -1
            return 0
        set_item(command, at, NULL)
        Py_DECREF(<object>old)
    set_item(command, at, new_bytes(text, size))
    return 0


# Puts in the arguments that are there in the form that all clients send, one after the other: this
# is where parsing spends its time. What stops it (an end, another form, more bytes than the bound)
# is left to the caller. Behind the end stands what is no digit.
cdef inline int collect(
    list words, Run* run, const char* end, Py_ssize_t bound
) except -1:
    cdef const char* at = run.at
    cdef Py_ssize_t filled = run.filled
    cdef Py_ssize_t total = 0
    cdef Py_ssize_t length = 0
    cdef Py_ssize_t used
    while filled < run.wanted and at[0] == b"$":
        used = plain_length(at + 1, &length) + 1
        if used == 1 or length > bound or end - at < used + length + 2:
            break
        at += used
        if filled == 0:
            put(words, 0, name(at, length))
        else:
            place(words, filled, at, length)
        at += length + 2
        filled += 1
        total += length
    run.at = at
    run.filled = filled
    run.size = total
    return 0
