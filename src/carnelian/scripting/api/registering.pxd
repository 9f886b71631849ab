from carnelian.scripting.lua cimport State

cdef int redis_register_function(State L) noexcept
