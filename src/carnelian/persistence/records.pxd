from carnelian.datatypes.entry cimport Content, Entry
from carnelian.datatypes.limits cimport Limits
from carnelian.persistence.sink cimport Sink
from carnelian.persistence.source cimport Source

cdef int put_record(Sink sink, const Entry *entry) except -1
cdef int put_payload(Sink sink, const Entry *entry) except -1
cdef int needed_version(const Entry *entry, bint quickly) except -1
cdef int read_value(
    Source source, int type, Limits limits, bint thorough, Content *content
) except -1
