from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef int redis_call(State L) noexcept
cdef int redis_pcall(State L) noexcept
cdef list take_words(Context *context, State L)
cdef void end_script(Context *context, State L) noexcept
cdef void interval_hook(State L, void *where) noexcept
cdef int remember_context(State L) noexcept
