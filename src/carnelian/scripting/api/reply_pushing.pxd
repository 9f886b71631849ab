from carnelian.scripting.borrowed cimport PyObject
from carnelian.scripting.lua cimport State

cdef bint push_reply(State L, PyObject *value, int protocol) noexcept
cdef void push_field(State L, const char *name, const char *text, size_t size) noexcept
cdef void push_words(State L, PyObject *words) noexcept
cdef bint is_plain(PyObject *value, int protocol) noexcept
cdef object simplified(object reply, int protocol)
