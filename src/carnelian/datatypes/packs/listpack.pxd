from carnelian.datatypes.base.sink cimport Sink
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

# The bytes of a listpack, in memory of their own. An element is named by its offset in them; the
# offset 0 stands for none. Changes may move the bytes, and so take the address of the pointer.
ctypedef uint8_t *Pack
ctypedef const uint8_t *Bytes

cdef enum:
    HEADER = 6
    DIGITS = 24  # room that text_at() needs for the decimal form of an integer
    SLIM = 128   # in the highest byte of the length: without backward lengths
    FOOT = 4     # bytes behind the elements of a slim one, of which a full one has END only

cdef struct Item:
    const char *text  # NULL for an integer
    Py_ssize_t length
    int64_t number

# Some elements in a row.
cdef struct Span:
    Py_ssize_t behind  # the offset behind them
    Py_ssize_t count
    Py_ssize_t owed    # bytes of their backward lengths

# Making
cdef Pack create() except NULL
cdef Pack create_slim() except NULL
cdef Pack from_text(const char *data, Py_ssize_t length) except NULL
cdef Pack blank(Py_ssize_t total) except NULL
cdef Pack duplicate(Bytes pack) except NULL
cdef void destroy(Pack pack) noexcept nogil
cdef bint is_valid(Bytes data, Py_ssize_t length) noexcept nogil
cdef bint is_framed(Bytes data, Py_ssize_t length) noexcept nogil
cdef bint is_count(Bytes data, Py_ssize_t count) noexcept nogil
cdef Py_ssize_t sound_size(Bytes data, Py_ssize_t at, Py_ssize_t end) noexcept nogil

# Facts
cdef Py_ssize_t count_of(Pack pack) noexcept nogil
cdef Py_ssize_t memory_of(Bytes pack) noexcept nogil
cdef bint safe_to_add(Bytes pack, Py_ssize_t more) noexcept nogil
cdef Py_ssize_t room_for(const char *text, Py_ssize_t length) noexcept nogil

# Walking
cdef Span span_of(Bytes pack, Py_ssize_t at, Py_ssize_t count) noexcept nogil
cdef Py_ssize_t first(Bytes pack) noexcept nogil
cdef Py_ssize_t last(Bytes pack) noexcept nogil
cdef Py_ssize_t after(Bytes pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t before(Bytes pack, Py_ssize_t at) noexcept nogil
cdef Py_ssize_t skip(Bytes pack, Py_ssize_t at, Py_ssize_t count) noexcept nogil
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
cdef int write_backlen(Pack to, Py_ssize_t size) noexcept nogil
cdef void seal(Pack pack, Py_ssize_t total, Py_ssize_t count) noexcept nogil
cdef void seal_slim(
    Pack pack, Py_ssize_t total, Py_ssize_t count, Py_ssize_t owed
) noexcept nogil

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

cdef inline uint32_t word_at(Bytes data) noexcept nogil:
    return data[0] | data[1] << 8 | data[2] << 16 | <uint32_t>data[3] << 24

cdef inline void put_word(Pack to, Py_ssize_t word) noexcept nogil:
    to[0] = word & 255
    to[1] = (word >> 8) & 255
    to[2] = (word >> 16) & 255
    to[3] = (word >> 24) & 255

cdef inline Py_ssize_t stated_count(Bytes pack) noexcept nogil:
    return pack[4] | pack[5] << 8

cdef inline bint is_slim(Bytes pack) noexcept nogil:
    return pack[3] >> 7

cdef inline Py_ssize_t total_of(Bytes pack) noexcept nogil:
    return word_at(pack) & 0x7FFFFFFF

cdef inline Py_ssize_t end_of(Bytes pack) noexcept nogil:
    return total_of(pack) - (FOOT if is_slim(pack) else 1)

# The length of a listpack in its full form.
cdef inline Py_ssize_t full_size(Bytes pack) noexcept nogil:
    if not is_slim(pack):
        return total_of(pack)
    return end_of(pack) + 1 + word_at(pack + end_of(pack))

# Bytes that say from behind how long the `size` bytes before them are. Limits of the format: each
# but the first is one less than its bytes could say.
cdef inline int backlen_size(Py_ssize_t size) noexcept nogil:
    if size <= 127:
        return 1
    if size < 16383:
        return 2
    if size < 2097151:
        return 3
    return 4 if size < 268435455 else 5

# Bytes of an element of which `size` are no backward length.
cdef inline Py_ssize_t extent(bint slim, Py_ssize_t size) noexcept nogil:
    return size if slim else size + backlen_size(size)

# Bytes of the element at `at` without its backward length; 0 if it is malformed or not before
# `end`. The one place that decides whether an element may be read.
cdef inline Py_ssize_t measure(Bytes pack, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t size
    if at < HEADER or at >= end:
        return 0
    cdef uint8_t byte = pack[at]
    if byte < 0x80:
        size = 1
    elif byte < 0xC0:
        size = 1 + (byte & 0x3F)
    elif byte < 0xE0:
        size = 2
    elif byte < 0xF0:
        if at + 2 > end:
            return 0
        size = 2 + ((byte & 15) << 8 | pack[at + 1])
    elif byte == 0xF0:
        if at + 5 > end:
            return 0
        size = 5 + <Py_ssize_t>word_at(pack + at + 1)
    elif byte <= 0xF3:
        size = byte - 0xEE
    elif byte == 0xF4:
        size = 9
    else:
        return 0
    return size if at + size <= end else 0

# Bytes before the text of a string, by its first; 0 for an integer.
cdef inline int string_header(uint8_t byte) noexcept nogil:
    if byte < 0x80:
        return 0
    if byte < 0xC0:
        return 1
    if byte < 0xE0:
        return 0
    if byte < 0xF0:
        return 2
    return 5 if byte == 0xF0 else 0

# Bytes of a string as an element, without backward length.
cdef inline Py_ssize_t string_size(Py_ssize_t length) noexcept nogil:
    if length < 64:
        return 1 + length
    return (2 if length < 4096 else 5) + length

# The integer of an element that is one and was measured.
cdef inline int64_t decode_integer(Bytes pack, Py_ssize_t at) noexcept nogil:
    cdef uint8_t byte = pack[at]
    cdef uint64_t bits = 0
    if byte < 0x80:
        return byte
    if byte < 0xF0:
        bits = (byte & 0x1F) << 8 | pack[at + 1]
        return <int64_t>bits - (8192 if bits >= 4096 else 0)
    cdef int width = 8 if byte == 0xF4 else byte - 0xEF
    cdef int i
    for i in range(width):
        bits |= <uint64_t>pack[at + 1 + i] << (8 * i)
    # The highest bit of those read is the sign.
    cdef int spare = 64 - 8 * width
    return <int64_t>(bits << spare) >> spare
