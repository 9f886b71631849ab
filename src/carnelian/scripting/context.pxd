"""What our functions within Lua know; its address is their first upvalue."""

from carnelian.scripting.borrowed cimport PyObject
from carnelian.scripting.lua cimport UPVALUE, CFunction, State, lua
from carnelian.scripting.lua_memory cimport Budget


# The settings of the library `cjson`, or of one more that `cjson.new` has made.
cdef struct JsonSettings:
    bint sparse_convert
    int sparse_ratio
    int sparse_safe
    int encode_depth
    int decode_depth
    bint keep_buffer
    int encode_invalid    # 0: an error, 1: as they are, 2: null
    bint decode_invalid
    int precision
    bint mark_arrays      # arrays that are decoded get a metatable which tells


# A text that grows, and the settings that hold for it.
cdef struct Json:
    char *data
    size_t size
    size_t room
    JsonSettings *settings
    Budget *budget


# It holds no reference: `host` has those, for as long as the pointers here are in use.
cdef struct Context:
    State L                  # the main thread
    PyObject *host           # a ScriptHost
    PyObject *keys           # lists of bytes, while a script runs; NULL where there are none
    PyObject *arguments
    PyObject *reply          # of the last command, or the text for an error
    int function             # the reference of the function that runs
    bint running
    bint deprecated          # scripts have what was withdrawn: getfenv, setfenv, newproxy
    bint ending              # it is not to go on: every line raises
    const char *ending_text  # what it raises then
    unsigned long long random    # state of math.random: 48 bits
    int protocol             # of replies as scripts see them: 2 or 3
    int loading_api          # reference of the globals while libraries of functions are loaded
    int globals              # reference of the real globals
    const char *version      # of Redis, as text and as a number
    int version_number
    const void *locked[32]   # proxies, see carnelian.scripting.sandbox.proxies
    int real[32]             # references of the tables behind them
    int locked_count
    int string_view          # what getmetatable shows of strings and of the globals
    int globals_view
    int globals_index        # of the globals among the proxies
    int array_mark           # the metatable of arrays that cjson has decoded, and its address
    const void *array_mark_address
    Json json
    JsonSettings json_settings
    Budget budget


cdef inline Context *context_of(State L) noexcept nogil:
    return <Context *>lua.touserdata(L, UPVALUE)
