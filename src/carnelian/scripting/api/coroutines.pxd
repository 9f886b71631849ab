from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef void watch_coroutines(State L, Context *context) noexcept
