# For the functions that read numbers: errors pass them without a trace.
from carnelian.resp cimport replies as _replies

cpdef object parse_int(bytes text)
cpdef double parse_float(bytes text, message=*) except? -1.0
cpdef bytes format_int(long long value)
cpdef bytes format_float(double value)
cpdef bytes format_plain(double value)
cpdef bytes add_floats(bytes current, bytes increment)
