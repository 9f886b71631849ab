from carnelian.scripting.lua cimport State

cdef int lua_pcall(State L) noexcept
cdef int lua_unpack(State L) noexcept
cdef int lua_loadstring(State L) noexcept
cdef int lua_load(State L) noexcept
cdef int lua_newproxy(State L) noexcept
cdef int lua_random(State L) noexcept
cdef int lua_randomseed(State L) noexcept
cdef int lua_rep(State L) noexcept
