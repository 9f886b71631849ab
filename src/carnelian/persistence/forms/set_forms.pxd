from carnelian.datatypes.tables.members cimport Members
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.frozen cimport Frozen
from libc.stdint cimport uint64_t


cdef class SetForm(Form):
    pass


cdef class FrozenSet(Frozen):
    cdef Members members
    cdef uint64_t cursor
