from carnelian.scripting.lua cimport State

cdef void open_bit(State L) noexcept
