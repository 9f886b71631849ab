from carnelian.resp.output cimport OutputBuffer

cpdef int write(OutputBuffer out, object value, int protocol) except -1
cpdef bytes encode(object value, int protocol=*)
cpdef int begin_parts(OutputBuffer out, object lazy, int protocol) except -2
cpdef int add_part(OutputBuffer out, list part, int protocol) except -1
cpdef int end_parts(OutputBuffer out, object lazy, int protocol, int gap, Py_ssize_t count) except -1
