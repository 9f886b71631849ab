from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.frozen cimport FrozenMembers


cdef class SortedSetForm(Form):
    pass


cdef class FrozenSortedSet(FrozenMembers):
    pass
