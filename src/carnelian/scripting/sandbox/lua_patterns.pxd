from carnelian.scripting.lua cimport State

cdef void open_patterns(State L) noexcept
