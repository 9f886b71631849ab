from carnelian.datatypes.sink cimport Sink
from libc.stdint cimport int64_t, uint8_t

# The bytes of a listpack, in memory of their own. An element is named by its offset in them; the
# offset 0 stands for none. Changes may move the bytes, and so take the address of the pointer.
ctypedef uint8_t *Pack
ctypedef const uint8_t *Bytes

cdef enum:
    HEADER = 6
    DIGITS = 24  # room that text_at() needs for the decimal form of an integer

cdef struct Item:
    const char *text  # NULL for an integer
    Py_ssize_t length
    int64_t number


# Making
cdef Pack create() except NULL
cdef Pack from_text(const char *data, Py_ssize_t length) except NULL
cdef Pack blank(Py_ssize_t total) except NULL
cdef Pack duplicate(Bytes pack) except NULL
cdef void destroy(Pack pack) noexcept nogil
cdef bint is_valid(Bytes data, Py_ssize_t length) noexcept nogil

# Facts
cdef Py_ssize_t count_of(Pack pack) noexcept nogil
cdef Py_ssize_t memory_of(Bytes pack) noexcept nogil
cdef bint safe_to_add(Bytes pack, Py_ssize_t more) noexcept nogil
cdef Py_ssize_t room_for(const char *text, Py_ssize_t length) noexcept nogil

# Walking
cdef Py_ssize_t first(Bytes pack) noexcept nogil
cdef Py_ssize_t last(Bytes pack) noexcept nogil
cdef Py_ssize_t after(Bytes pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t before(Bytes pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t seek(Pack pack, Py_ssize_t index) noexcept nogil
cdef Py_ssize_t size_at(Bytes pack, Py_ssize_t at) noexcept nogil

# Reading
cdef bint read(Bytes pack, Py_ssize_t at, Item *item) noexcept nogil
cdef const char *text_at(
    Bytes pack, Py_ssize_t at, char *digits, Py_ssize_t *length
) noexcept nogil
cdef bytes bytes_at(Bytes pack, Py_ssize_t at)
cdef Py_ssize_t pour(Bytes pack, Py_ssize_t at, Py_ssize_t count, Sink sink) except -1
cdef bint equals(
    Bytes pack, Py_ssize_t at, const char *text, Py_ssize_t length
) noexcept nogil
cdef Py_ssize_t find(
    Bytes pack, Py_ssize_t at, const char *text, Py_ssize_t length, Py_ssize_t skip
) noexcept nogil
cdef Py_ssize_t random_at(Pack pack, Py_ssize_t step) noexcept nogil
cdef Py_ssize_t read_on(Bytes pack, Py_ssize_t at, Item *item) noexcept nogil

# Writing
cdef int write_integer(Pack to, int64_t number) noexcept nogil
cdef Py_ssize_t write_text(Pack to, const char *text, Py_ssize_t length) noexcept nogil
cdef void seal(Pack pack, Py_ssize_t total, Py_ssize_t count) noexcept nogil

# Changing
cdef int append(Pack *pack, const char *text, Py_ssize_t length) except -1
cdef int append_integer(Pack *pack, int64_t number) except -1
cdef int prepend(Pack *pack, const char *text, Py_ssize_t length) except -1
cdef int insert(Pack *pack, Py_ssize_t at, const char *text, Py_ssize_t length) except -1
cdef int insert_integer(Pack *pack, Py_ssize_t at, int64_t number) except -1
cdef int replace(Pack *pack, Py_ssize_t at, const char *text, Py_ssize_t length) except -1
cdef int replace_integer(Pack *pack, Py_ssize_t at, int64_t number) except -1
cdef Py_ssize_t remove(Pack *pack, Py_ssize_t at) except -1
cdef Py_ssize_t remove_several(Pack *pack, Py_ssize_t at, Py_ssize_t count) except -1
cdef int remove_range(Pack *pack, Py_ssize_t index, Py_ssize_t count) except -1
cdef int merge(Pack *pack, Pack *tail) except -1
cdef Pack split(Pack *pack, Py_ssize_t at) except NULL

cdef inline Py_ssize_t total_of(Bytes pack) noexcept nogil:
    return pack[0] | pack[1] << 8 | pack[2] << 16 | <Py_ssize_t>pack[3] << 24

cdef inline Py_ssize_t end_of(Bytes pack) noexcept nogil:
    return total_of(pack) - 1
