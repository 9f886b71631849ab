from carnelian.datatypes.tables.entry cimport Content, Entry
from carnelian.datatypes.base.limits cimport Limits
from carnelian.persistence.bytes.formats cimport STRING
from carnelian.persistence.forms.string_forms cimport read_string
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.bytes.byte_source cimport Source

cdef int put_record(Sink sink, const Entry *entry) except -1
cdef int put_payload(Sink sink, const Entry *entry) except -1
cdef int version_of_entry(const Entry *entry, bint quickly) except -1
cdef int read_object(
    Source source, int type, Limits limits, bint thorough, Content *content
) except -1

# Reads a value of an RDB type: all are known that Redis has ever written.
#
# `content` then describes it: a text stands in the source until something else is read, a reference
# is owned by the content. Raises ShortRead, Corrupt, or EmptyValue for a collection without
# elements.
cdef inline int read_content(
    Source source, int type, Limits limits, bint thorough, Content *content
) except -1:
    if type == STRING:
        return read_string(source, content)
    return read_object(source, type, limits, thorough, content)
