from carnelian.scripting.lua cimport State

cdef void open_struct(State L) noexcept
