from carnelian.scripting.context cimport Context
from carnelian.scripting.lua cimport State

cdef void open_redis(State L, Context *context, bint functions) noexcept
cdef void open_loading_api(State L, Context *context) noexcept
