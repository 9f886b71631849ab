from carnelian.resp.arguments cimport Cut
from carnelian.resp.libc cimport owned

cdef enum:
    AHEAD = 16  # commands that are made before the first of them runs
    WORTH_FETCHING = 4  # so many that it saves time to fetch what they need together


cdef class Parser:
    cdef public Py_ssize_t max_bulk
    cdef public Py_ssize_t max_multibulk
    cdef public bint authenticated
    cdef readonly Py_ssize_t room
    cdef readonly Py_ssize_t argument_bytes
    cdef Py_ssize_t counted
    cdef readonly object error
    cdef char* block
    cdef Py_ssize_t capacity
    cdef Py_ssize_t start
    cdef Py_ssize_t position
    cdef Py_ssize_t end
    cdef long long base
    cdef Py_ssize_t nominal
    cdef Py_ssize_t peak
    cdef list arguments
    cdef Py_ssize_t filled
    cdef Py_ssize_t missing
    cdef Py_ssize_t expected
    cdef void* big
    cdef Py_ssize_t received
    cdef Cut ahead[AHEAD]
    cdef int made
    cdef int taken

    cdef char* reserve(self, Py_ssize_t minimum)
    cdef void commit(self, Py_ssize_t size) noexcept
    cdef long long offset(self) noexcept
    cpdef list next(self)
    cpdef int look_ahead(self) except -1
    cdef void look_back(self) noexcept
    cpdef feed(self, bytes data)
    cpdef trim(self, bint idle=*)

    cdef Py_ssize_t _in_buffer(self) noexcept
    cdef bint _begin(self) except -1
    cdef bint _bulk_header(self) except -1
    cdef bint _collect(self) except -1
    cdef int _collect_plain(self) except -1
    cdef list _inline(self)
    cdef Py_ssize_t _line_end(self, str reason) except -2
    cdef int _start_big(self) except -1
    cdef bint _finish_big(self) except -1
    cdef int _store(self, bytes argument) except -1
    cdef int _resize(self, Py_ssize_t capacity) except -1
    cdef void _settle(self) noexcept
    cdef void _count(self) noexcept
    cdef void _drop(self) noexcept
    cdef int _fail(self, bytes message, str reason) except -1


# The next of the commands that were made before their turn, of which there has to be one.
cdef inline list take(Parser parser):
    cdef Cut *made = &parser.ahead[parser.taken]
    parser.taken += 1
    parser.position = made.stop
    parser.argument_bytes = made.size
    return <list>owned(made.words)
