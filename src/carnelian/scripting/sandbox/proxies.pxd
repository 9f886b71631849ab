from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef void lock_table(State L, Context *context) noexcept
cdef void lock_global(State L, Context *context, const char *name) noexcept
cdef void lock_globals(State L, Context *context) noexcept
cdef int refuse_missing(State L) noexcept
cdef int writing(State L) noexcept
cdef int inserting(State L) noexcept
cdef int reading(State L) noexcept
cdef int setting_environment(State L) noexcept
cdef int pairs_of(State L) noexcept
cdef int metatable_of(State L) noexcept
