from carnelian.scripting.context cimport Context, JsonSettings
from carnelian.scripting.lua cimport CFunction, State

cdef void add_settings(State L, Context *context) noexcept
cdef void add_function(State L, Context *context, const char *name, CFunction function) noexcept
cdef JsonSettings *settings_of(State L) noexcept
