from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.byte_sink cimport Sink
from carnelian.persistence.bytes.byte_source cimport Source
from libc.stdint cimport int64_t, uint64_t


cdef class FieldSink:
    cdef Sink sink

    cpdef int put_unsigned(self, uint64_t number) except -1
    cpdef int put_signed(self, int64_t number) except -1
    cpdef int put_double(self, double number) except -1
    cpdef int put_float(self, float number) except -1
    cpdef int put_text(self, bytes text) except -1


cdef class FieldSource:
    cdef Source source
    cdef str name

    cpdef uint64_t read_unsigned(self) except? 0xFFFFFFFFFFFFFFFF
    cpdef int64_t read_signed(self) except? -1
    cpdef double read_double(self) except? -1
    cpdef float read_float(self) except? -1
    cpdef bytes read_text(self)
    cdef int expect(self, uint64_t kind) except -1


cdef class ModuleForm(Form):
    cdef readonly str name
    cdef readonly int version

    cpdef save(self, FieldSink fields, value)
    cpdef load(self, FieldSource fields, int version)
    cpdef list commands(self, bytes key, value)


cdef class ModuleReader(Form):
    pass
