from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef void add_settings(State L, Context *context) noexcept
