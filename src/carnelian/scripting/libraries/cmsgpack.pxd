from carnelian.scripting.lua cimport State

cdef void open_cmsgpack(State L) noexcept
