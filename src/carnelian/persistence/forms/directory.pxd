from carnelian.persistence.forms.form cimport Form
from carnelian.persistence.bytes.objects cimport ClassPointer, ObjectPointer

cdef enum:
    MOST = 64    # classes
    TYPES = 256

cdef struct Registered:
    ClassPointer type
    ObjectPointer form

cpdef register(type class_, Form form, tuple types=*)
cpdef register_types(Form form, tuple types)
cdef ObjectPointer form_of(ObjectPointer value) except NULL
cdef ObjectPointer form_of_type(int type) noexcept
