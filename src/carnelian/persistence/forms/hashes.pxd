from carnelian.datatypes.collections.hash cimport Times
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.frozen cimport FrozenMembers


cdef class HashForm(Form):
    pass


cdef class FrozenHash(FrozenMembers):
    cdef bint timed
    cdef long long soonest

    cdef note_times(self, Times times)
