from carnelian.persistence.objects cimport ObjectPointer
from carnelian.persistence.sink cimport Sink
from carnelian.persistence.source cimport Source


cdef int stream_type(int version) noexcept nogil
cdef int put_stream(Sink sink, ObjectPointer value) except -1
cdef object read_stream(Source source, int type)
