from carnelian.datatypes.nodes cimport NodePointer
from carnelian.datatypes.quicklist cimport Quicklist
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.frozen cimport FrozenBlocks


cdef class ListForm(Form):
    pass


cdef class FrozenList(FrozenBlocks):
    cdef NodePointer *nodes
    cdef Quicklist chain
