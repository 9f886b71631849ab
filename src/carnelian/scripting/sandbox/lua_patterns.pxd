from carnelian.scripting.lua cimport State

cdef int lua_find(State L) noexcept
cdef int lua_matching(State L) noexcept
