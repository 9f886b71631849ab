from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef void open_cjson(State L, Context *context) noexcept
