from carnelian.datatypes.base.limits cimport Limits
from carnelian.persistence.bytes.command_file cimport CommandFile
from carnelian.persistence.bytes.frozen cimport Freezing, Frozen
from carnelian.persistence.bytes.objects cimport ObjectPointer
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.bytes.byte_source cimport Source


cdef class Form:
    cdef int type_of(self, ObjectPointer value, int version) except -1
    cdef int put(self, Sink sink, ObjectPointer value) except -1
    cdef int needed_version(self, ObjectPointer value, bint quickly) except -1
    cdef object read(self, Source source, int type, Limits limits, bint thorough)
    cdef Frozen freeze(self, Freezing freezer, int index, object value)
    cdef int rewrite(self, CommandFile commands, bytes key, object value) except -1
