from carnelian.datatypes.collections.nodes cimport NodePointer
from carnelian.datatypes.collections.quicklist cimport Quicklist
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.frozen cimport FrozenBlocks


cdef class ListForm(Form):
    pass


cdef class FrozenList(FrozenBlocks):
    cdef NodePointer *nodes
    cdef Quicklist chain
