from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport CFunction, State

cdef void open_libraries(State L, Context *context) noexcept
cdef void lock_libraries(State L, Context *context) noexcept
cdef void add_function(State L, Context *context, const char *name, CFunction function) noexcept
