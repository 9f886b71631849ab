from carnelian.scripting.lua cimport State

cdef int matching(State L) noexcept
cdef int lua_xpcall(State L) noexcept
