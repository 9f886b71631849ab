from carnelian.scripting.lua cimport State

cdef int lua_xpcall(State L) noexcept
