"""Lua 5.1's C API: function pointers into the library that lupa ships.

What may run a script, and with it one of our C functions, wants the GIL; the rest is ``nogil``.
A *protected* call is one below ``pcall`` or ``cpcall``: only there may a function raise. Marked
with R is what can raise (a ``longjmp``): no frame that owns a Python reference may call those.
"""

cdef enum:
    # Pseudo-indices; the first upvalue of a C function is at UPVALUE.
    REGISTRY = -10000
    ENVIRONMENT = -10001
    GLOBALS = -10002
    UPVALUE = -10003

cdef enum:
    # What `type` returns.
    NONE = -1
    NIL = 0
    BOOLEAN = 1
    LIGHT_USERDATA = 2
    NUMBER = 3
    STRING = 4
    TABLE = 5
    FUNCTION = 6
    USERDATA = 7
    THREAD = 8

cdef enum:
    # What `pcall` and `load` return.
    YIELD = 1
    RUNTIME_ERROR = 2
    SYNTAX_ERROR = 3
    MEMORY_ERROR = 4
    HANDLER_ERROR = 5

cdef enum:
    MULTIPLE = -1   # as a number of results

cdef enum:
    # Masks for `sethook`.
    MASK_LINE = 4
    MASK_COUNT = 8

cdef enum:
    # What a hook is called for.
    EVENT_COUNT = 3

cdef enum:
    # Requests to `gc`.
    GC_COLLECT = 2
    GC_COUNT = 3
    GC_COUNT_BYTES = 4
    GC_STEP = 5


cdef struct lua_State:
    char opaque


cdef struct lua_Debug:
    int event
    const char *name
    const char *namewhat
    const char *what
    const char *source
    int currentline
    int nups
    int linedefined
    int lastlinedefined
    char short_src[60]
    int i_ci


ctypedef lua_State *State
ctypedef int (*CFunction)(State) noexcept
ctypedef void (*Hook)(State, lua_Debug *) noexcept
ctypedef const char *(*Reader)(State, void *, size_t *) noexcept
ctypedef void *(*Alloc)(void *, void *, size_t, size_t) noexcept


cdef struct Api:
    # States
    State (*newstate)(Alloc, void *) noexcept
    void (*close)(State) noexcept
    CFunction (*atpanic)(State, CFunction) noexcept nogil
    # The stack
    int (*gettop)(State) noexcept nogil
    void (*settop)(State, int) noexcept nogil
    int (*checkstack)(State, int) noexcept nogil             # R
    void (*pushvalue)(State, int) noexcept nogil
    void (*remove)(State, int) noexcept nogil
    void (*insert)(State, int) noexcept nogil
    void (*replace)(State, int) noexcept nogil
    # Values on it
    int (*type)(State, int) noexcept nogil
    int (*toboolean)(State, int) noexcept nogil
    double (*tonumber)(State, int) noexcept nogil
    const char *(*tolstring)(State, int, size_t *) noexcept nogil  # R, unless it is a string
    void *(*touserdata)(State, int) noexcept nogil
    CFunction (*tocfunction)(State, int) noexcept nogil
    const void *(*topointer)(State, int) noexcept nogil
    size_t (*objlen)(State, int) noexcept nogil              # R, if it is a number
    const char *(*typename)(State, int) noexcept nogil
    int (*isnumber)(State, int) noexcept nogil               # or a text that reads as one
    int (*rawequal)(State, int, int) noexcept nogil
    # Values onto it
    void (*pushnil)(State) noexcept nogil
    void (*pushboolean)(State, int) noexcept nogil
    void (*pushnumber)(State, double) noexcept nogil
    void (*pushlstring)(State, const char *, size_t) noexcept nogil         # R
    void (*pushstring)(State, const char *) noexcept nogil                  # R
    const char *(*pushfstring)(State, const char *, ...) noexcept nogil     # R
    void (*pushcclosure)(State, CFunction, int) noexcept nogil              # R
    void (*pushlightuserdata)(State, void *) noexcept nogil
    void *(*newuserdata)(State, size_t) noexcept nogil       # R; freed by the collector
    void (*concat)(State, int) noexcept                      # R
    # Tables; none of these calls a metamethod but `getfield` and `setfield`
    void (*createtable)(State, int, int) noexcept nogil      # R
    void (*rawget)(State, int) noexcept nogil
    void (*rawgeti)(State, int, int) noexcept nogil
    void (*rawset)(State, int) noexcept nogil                # R
    void (*rawseti)(State, int, int) noexcept nogil          # R
    int (*next)(State, int) noexcept nogil                   # R, for a key that is not there
    int (*getmetatable)(State, int) noexcept nogil
    int (*setmetatable)(State, int) noexcept nogil
    void (*getfield)(State, int, const char *) noexcept      # R
    void (*setfield)(State, int, const char *) noexcept      # R
    # Code
    void (*call)(State, int, int) noexcept                   # R
    int (*pcall)(State, int, int, int) noexcept
    int (*cpcall)(State, CFunction, void *) noexcept
    int (*load)(State, Reader, void *, const char *) noexcept
    int (*error)(State) noexcept                             # R
    int (*gc)(State, int, int) noexcept
    # Debugging
    int (*getstack)(State, int, lua_Debug *) noexcept nogil
    int (*getinfo)(State, const char *, lua_Debug *) noexcept nogil         # R
    const char *(*getlocal)(State, lua_Debug *, int) noexcept nogil         # pushes the value
    int (*sethook)(State, Hook, int, int) noexcept nogil
    # The auxiliary library
    int (*ref)(State, int) noexcept nogil                    # R
    void (*unref)(State, int, int) noexcept nogil
    int (*raise_error)(State, const char *, ...) noexcept          # R, luaL_error
    int (*argerror)(State, int, const char *) noexcept                      # R
    void (*checktype)(State, int, int) noexcept                             # R
    void (*checkany)(State, int) noexcept                                   # R
    double (*checknumber)(State, int) noexcept                              # R
    ssize_t (*checkinteger)(State, int) noexcept                            # R
    ssize_t (*optinteger)(State, int, ssize_t) noexcept                     # R
    const char *(*checklstring)(State, int, size_t *) noexcept              # R
    void (*where)(State, int) noexcept nogil                 # R
    # The libraries that a script may have
    CFunction open_base
    CFunction open_table
    CFunction open_string
    CFunction open_math


cdef Api lua


cpdef load()

cdef inline void pop(State L, int count) noexcept nogil:
    lua.settop(L, -count - 1)

# Put a function without upvalues into the table on top of the stack. (R)
cdef inline void set_function(State L, const char *name, CFunction function) noexcept:
    lua.pushcclosure(L, function, 0)
    lua.setfield(L, -2, name)
