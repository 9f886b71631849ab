from carnelian.datatypes.streams.stream cimport Stream
from carnelian.datatypes.streams.ids cimport Id
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.frozen cimport FrozenBlocks


cdef class StreamForm(Form):
    pass


cdef class FrozenStream(FrozenBlocks):
    cdef Id *ids
    cdef Stream stream

    cdef const Id *first_id(self, Py_ssize_t number) noexcept
