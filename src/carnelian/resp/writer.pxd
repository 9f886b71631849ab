from carnelian.resp.output cimport OutputBuffer

cdef object Attribute
cdef object BigNumber
cdef object Error
cdef object FlatMap
cdef object FlatSet
cdef object Lazy
cdef int MAX_DEPTH
cdef object NO_REPLY
cdef object NULL_ARRAY
cdef object OK
cdef object PlainFloat
cdef object Push
cdef object Several
cdef object Status
cdef object Verbatim

cpdef int write(OutputBuffer out, object value, int protocol) except -1
cpdef bytes encode(object value, int protocol=*)
cpdef int begin_parts(OutputBuffer out, object lazy, int protocol) except -2
cpdef int add_part(OutputBuffer out, list part, int protocol) except -1
cpdef int end_parts(OutputBuffer out, object lazy, int protocol, int gap, Py_ssize_t count) except -1
