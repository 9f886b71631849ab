from carnelian.datatypes.stream cimport Stream
from carnelian.datatypes.stream_id cimport Id
from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.frozen cimport FrozenBlocks


cdef class StreamForm(Form):
    pass


cdef class FrozenStream(FrozenBlocks):
    cdef Id *ids
    cdef Stream stream

    cdef const Id *first_id(self, Py_ssize_t number) noexcept
