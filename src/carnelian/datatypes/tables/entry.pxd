from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy


# A block is: this header | expiry, 8 bytes, if EXPIRES | length of the key, 4 bytes, if LONG_KEY |
# the key | the value: text, an 8-byte integer, or an 8-byte pointer.
cdef struct Entry:
    uint32_t access       # low 24 bits: access clock; high 8: the flags below
    uint8_t kind
    uint8_t short_length  # of the key, or LONG_KEY
    uint16_t length       # of an inline text

cdef enum:  # flags in Entry.access
    CLOCK_MASK = 0x00FFFFFF
    EXPIRES = 0x01000000
    MODIFIED = 0x02000000  # a string that was changed in place, whose encoding is "raw"
    EXPIRES_SHIFT = 24
    VERSION_SHIFT = 26     # the six bits from here on: the version of the entry, see table.py
    VERSIONS = 64

cdef enum:
    LONG_KEY = 255
    INLINE_LIMIT = 512  # longest inline text; longer ones stay in the bytes object they came in

cdef enum:  # kinds
    INLINE = 1    # text in the block
    INTEGER = 2   # a 64-bit integer in the block
    BYTES = 3     # a reference to a bytes object
    BUFFER = 4    # a reference to a StringBuffer
    OBJECT = 5    # a reference to a collection


# A value before it stands in a block: `length` bytes at `data`, then `zeros` zero bytes.
# A reference in `word` is owned by the content until it is in a block.
cdef struct Content:
    uint8_t kind
    uint32_t flags
    Py_ssize_t length
    Py_ssize_t zeros
    const char *data
    int64_t word

cdef inline Py_ssize_t expiry_size(const Entry *entry) noexcept nogil:
    return (entry.access >> (EXPIRES_SHIFT - 3)) & 8

cdef inline bint expires(const Entry *entry) noexcept nogil:
    return entry.access & EXPIRES != 0

cdef inline int64_t expiry_of(const Entry *entry) noexcept nogil:
    return (<int64_t *>entry)[1]

cdef inline void set_expiry_of(Entry *entry, int64_t at) noexcept nogil:
    (<int64_t *>entry)[1] = at

cdef inline Py_ssize_t key_length(const Entry *entry) noexcept nogil:
    cdef uint32_t length
    if entry.short_length != LONG_KEY:
        return entry.short_length
    memcpy(&length, <const char *>entry + 8 + expiry_size(entry), 4)
    return length

cdef inline const char *key_of(const Entry *entry) noexcept nogil:
    cdef const char *at = <const char *>entry + 8 + expiry_size(entry)
    return at + 4 if entry.short_length == LONG_KEY else at

cdef inline bint has_key(const Entry *entry, const char *key, Py_ssize_t length) noexcept nogil:
    cdef const char *at = <const char *>entry + 8 + expiry_size(entry)
    cdef uint32_t long_length
    if entry.short_length != LONG_KEY:
        return entry.short_length == length and memcmp(at, key, length) == 0
    memcpy(&long_length, at, 4)
    return long_length == length and memcmp(at + 4, key, length) == 0

cdef inline char *value_of(const Entry *entry) noexcept nogil:
    return <char *>key_of(entry) + key_length(entry)

cdef inline int64_t word_of(const Entry *entry) noexcept nogil:
    cdef int64_t word
    memcpy(&word, value_of(entry), 8)
    return word

cdef inline void set_word_of(Entry *entry, int64_t word) noexcept nogil:
    memcpy(value_of(entry), &word, 8)

cdef inline PyObject *reference_of(const Entry *entry) noexcept nogil:
    return <PyObject *>word_of(entry)

cdef Entry *build(
    const char *key, Py_ssize_t length, uint32_t clock, int64_t expiry, const Content *content
) except NULL
cdef Py_ssize_t block_size(
    Py_ssize_t key_length, bint expires, const Content *content
) noexcept nogil
cdef void fill(Entry *entry, const Content *content) noexcept nogil
cdef Py_ssize_t size_of(const Entry *entry) noexcept nogil
cdef bint fits(const Entry *entry, Py_ssize_t size) noexcept nogil
cdef void free_block(Entry *entry) noexcept nogil
cdef Entry *with_expiry(Entry *entry, int64_t expiry) except NULL
cdef Entry *without_expiry(Entry *entry) except NULL

cdef int describe_bytes(bytes text, Content *content) except -1
cdef int describe_text(bytes text, Content *content) except -1
cdef int describe_integer(int64_t number, Content *content) noexcept nogil
cdef int describe_object(object value, Content *content) except -1
cdef int describe_zeros(
    const char *data, Py_ssize_t length, Py_ssize_t total, Content *content
) except -1
cdef int describe_entry(const Entry *entry, Content *content) noexcept nogil
cdef int describe_copy(const Entry *entry, Content *content) except -1

cdef object read_value(const Entry *entry)
cdef bytes read_key(const Entry *entry)
cdef Py_ssize_t text_length(const Entry *entry) except -1
cdef Py_ssize_t memory_of(const Entry *entry) except -1
cdef int drop_reference(uint8_t kind, int64_t word) except -1
cdef int destroy(Entry *entry) except -1
