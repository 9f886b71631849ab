from carnelian.scripting.lua cimport State

cdef void open_os(State L) noexcept
