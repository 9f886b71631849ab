from carnelian.datatypes.tables.entry cimport INLINE, INLINE_LIMIT, Content, Entry, describe_text, value_of
from carnelian.persistence.bytes.command_file cimport CommandFile
from carnelian.persistence.bytes.frozen cimport Freezing, Frozen
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.bytes.byte_source cimport Source
from cpython.bytes cimport PyBytes_FromStringAndSize

cdef int put_other(Sink sink, const Entry *entry) except -1
cdef int read_string(Source source, Content *content) except -1
cdef Frozen freeze_string(Freezing freezer, int index, const Entry *entry)
cdef int rewrite_string(CommandFile commands, const Entry *entry) except -1

# Writes the string of an entry; most stand in place.
cdef inline int put_string(Sink sink, const Entry *entry) except -1:
    if entry.kind == INLINE:
        return sink.put_text(value_of(entry), entry.length)
    return put_other(sink, entry)

# Describes a text as it is: short ones in place.
cdef inline int describe_raw(const char *text, Py_ssize_t length, Content *content) except -1:
    if length > INLINE_LIMIT:
        return describe_text(PyBytes_FromStringAndSize(text, length), content)
    content.kind = INLINE
    content.flags = 0
    content.zeros = 0
    content.length = length
    content.data = text
    return 0


cdef class FrozenString(Frozen):
    cdef bytes text
