from carnelian.datatypes.arrays.array cimport Array
from carnelian.datatypes.arrays.slice_index cimport Place
from carnelian.datatypes.arrays.array_slices cimport Slice
from carnelian.persistence.bytes.frozen cimport Frozen
from carnelian.persistence.forms.form cimport Form
from libc.stdint cimport uint64_t

cdef enum:  # kinds of elements
    LONG_TEXT = 0
    WHOLE = 1
    DECIMAL = 2
    SHORT_FORM = 3


cdef class ArrayForm(Form):
    pass


cdef class FrozenArray(Frozen):
    cdef Array array
    cdef uint64_t cursor
    cdef uint64_t next    # the number of the slice to be looked at
    cdef bint begun
