from carnelian.scripting.lua cimport State

cdef enum:
    SMALL = 512  # bytes that a buffer has without asking for memory


# A text in the making. Once it is longer than `small`, it stands in a userdata at `slot` of the
# stack: whatever is raised meanwhile, Lua frees it.
cdef struct Buffer:
    State L
    int slot
    char *data
    size_t size
    size_t room
    char small[512]


cdef void begin(Buffer *buffer, State L) noexcept
cdef char *extend(Buffer *buffer, size_t count) noexcept
cdef void push_text(Buffer *buffer) noexcept
