from carnelian.resp.output cimport OutputBuffer

cpdef int write(OutputBuffer out, object value, int protocol) except -1
cpdef bytes encode(object value, int protocol=*)
