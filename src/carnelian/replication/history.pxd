from carnelian.resp.output cimport OutputBuffer


cdef class History:
    cdef public str id
    cdef public str second_id
    cdef public long long second_offset
    cdef public long long offset

    cpdef bint can_continue(self, str wanted, long long offset)
    cpdef shift(self)
    cpdef adopt(self, str id, long long offset)
    cpdef new_id(self)


cdef class Block:
    cdef char* data
    cdef Py_ssize_t used
    cdef readonly long long start
    cdef readonly long long number
    cdef Py_ssize_t users
    cdef Block following

    cdef Block cut(self)


cdef class Backlog:
    cdef Block head
    cdef Block tail
    cdef readonly long long first
    cdef readonly long long length
    cdef readonly long long limit
    cdef readonly bint closed

    cdef int append(self, const char* data, Py_ssize_t size) except -1
    cpdef int put(self, bytes data) except -1
    cpdef resize(self, long long limit)
    cpdef int trim(self, int most=*) except -1
    cpdef Place since(self, long long offset)
    cpdef Place end(self)
    cpdef drop(self)
    cdef Block extend(self)
    cdef void _free(self) noexcept


cdef class Place:
    cdef Backlog backlog
    cdef Block block
    cdef Py_ssize_t at

    cpdef long long offset(self)
    cpdef long long behind(self)
    cpdef long long blocks_behind(self)
    cpdef Place copy(self)
    cpdef int pour(self, OutputBuffer output, int most=*) except -1
    cpdef leave(self)
    cdef void _step_out(self) noexcept


cpdef Py_ssize_t held() noexcept
