from carnelian.datatypes.limits cimport Limits
from carnelian.datatypes.stream_id cimport ConstId
from carnelian.persistence.objects cimport ObjectPointer
from carnelian.persistence.sink cimport Sink
from carnelian.persistence.source cimport Source

cdef int stream_type(int version, ObjectPointer value) except -1
cdef int put_node(Sink sink, ConstId first, const char *pack, Py_ssize_t length) except -1
cdef int put_rest(Sink sink, ObjectPointer value) except -1
cdef int put_stream(Sink sink, ObjectPointer value) except -1
cdef object read_stream(Source source, int type, Limits limits)
