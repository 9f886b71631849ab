from carnelian.scripting.lua cimport State
from carnelian.scripting.lua_memory cimport Budget

# Where the stack of the main thread has the names of fields: above what runs scripts.
cdef enum:
    NAME_ERR = 3
    NAME_OK = 4
    NAME_DOUBLE = 5
    NAME_MAP = 6
    NAME_SET = 7
    NAME_BIG_NUMBER = 8
    NAME_VERBATIM = 9
    NAME_STRING = 10
    NAME_FORMAT = 11
    NAME_COUNTED = 12
    NAME_SOURCE = 13
    NAME_LINE = 14
    LAST_NAME = 14

cdef void begin_result(Budget *budget) noexcept
cdef object take_result(State L, int depth, bint booleans)
cdef object script_error(State L, bytes name)
cdef bytes text_at(State L, int index)
