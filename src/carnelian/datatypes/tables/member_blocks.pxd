from carnelian.datatypes.base.slabs cimport LARGEST_CELL, cell_size
from carnelian.datatypes.tables.table cimport hash_text, prefetch
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(unsigned long long bits) noexcept nogil


# A bucket is the address of its block with the number of members in the 16 bits above, or zero.
#
# A block: version | eighth of its cell's size, 0 if that is a large one, which always fits closely |
# a mark for each member, 2 bytes | the texts in the same order.
# A mark: low 9 bits: bits of the hash, see shift_of(); above: LONG; high 6: the bytes of the text.
cdef enum:
    COUNT_SHIFT = 48
    MOST = 65535   # members of one bucket, which only hashes made to collide can come to
    HEAD = 2
    TAG_MASK = 511
    LONG = 512     # flag of a mark: in place of the text there is a pointer to a LongText
    WIDTH_SHIFT = 10
    WIDEST = 63    # text that stands in the block
    STRIDE = 4     # bits of the hash by which the tags of marks move on
    POINTER = 8

cdef enum:
    SEGMENT_BITS = 11
    SEGMENT = 2048  # buckets that stand in a row

cdef struct LongText:  # the text follows
    Py_ssize_t length

cdef struct Walk:  # over members that do not change meanwhile
    uint64_t **segments
    Py_ssize_t buckets
    Py_ssize_t number  # of the next bucket
    uint16_t *mark     # of the next member
    uint8_t *text      # of the next member, or the pointer to it
    Py_ssize_t left    # members of the bucket still to come

cdef inline uint8_t *block_of(uint64_t bucket) noexcept nogil:
    return <uint8_t *>(bucket & 0xFFFFFFFFFFFFULL)

cdef inline Py_ssize_t count_of(uint64_t bucket) noexcept nogil:
    return bucket >> COUNT_SHIFT

cdef inline uint64_t bucket_of(const uint8_t *block, Py_ssize_t count) noexcept nogil:
    return <uint64_t>block | (<uint64_t>count << COUNT_SHIFT)

cdef inline uint16_t *marks_of(uint8_t *block) noexcept nogil:
    return <uint16_t *>(block + HEAD)

cdef inline uint32_t version_of(uint8_t *block) noexcept nogil:
    return block[0]

cdef inline void set_version(uint8_t *block, uint32_t version) noexcept nogil:
    block[0] = <uint8_t>version


# From which bit of the hash on a mark has bits of it, where `depth` bits tell the bucket.
cdef inline int shift_of(int depth) noexcept nogil:
    return depth & ~(STRIDE - 1)

cdef inline uint16_t mark_for(uint64_t hash, int depth, Py_ssize_t length) noexcept nogil:
    cdef uint64_t tag = (hash >> shift_of(depth)) & TAG_MASK
    if length > WIDEST:
        return <uint16_t>(tag | LONG | POINTER << WIDTH_SHIFT)
    return <uint16_t>(tag | length << WIDTH_SHIFT)

cdef inline bint is_long(uint16_t mark) noexcept nogil:
    return mark & LONG != 0


# The bytes that the text of a member, or the pointer to it, takes in the block.
cdef inline Py_ssize_t width_of(uint16_t mark) noexcept nogil:
    return mark >> WIDTH_SHIFT


# The bytes of the texts of so many marks, four of which are added up at once.
cdef inline Py_ssize_t widths(const uint16_t *marks, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t total = 0
    cdef uint64_t word
    while count >= 4:
        memcpy(&word, marks, 8)
        word = (word >> WIDTH_SHIFT) & 0x003F003F003F003FULL
        total += <Py_ssize_t>((word * 0x0001000100010001ULL) >> 48)
        marks += 4
        count -= 4
    while count > 0:
        total += width_of(marks[0])
        marks += 1
        count -= 1
    return total


# The bytes of a block of so many members.
cdef inline Py_ssize_t size_of(Py_ssize_t count, Py_ssize_t texts) noexcept nogil:
    return HEAD + 2 * count + texts


# The bytes of the cell of a block with that many in use.
cdef inline Py_ssize_t room_of(const uint8_t *block, Py_ssize_t size) noexcept nogil:
    return block[1] << 3 if block[1] else cell_size(size)

cdef inline void set_room(uint8_t *block, Py_ssize_t size) noexcept nogil:
    block[1] = <uint8_t>(cell_size(size) >> 3) if size <= LARGEST_CELL else 0

cdef inline LongText *long_text(const uint8_t *at) noexcept nogil:
    cdef LongText *long = NULL
    memcpy(&long, at, POINTER)
    return long

cdef inline bint is_at(
    const uint8_t *at, uint16_t mark, const char *text, Py_ssize_t length
) noexcept nogil:
    if not is_long(mark):
        return memcmp(at, text, length) == 0
    cdef LongText *long = long_text(at)
    return long.length == length and memcmp(long + 1, text, length) == 0


# The index of a member in a bucket, -1 if it is not there.
#
# Looks at four marks at once, in aligned words that begin with the head: what is read behind the
# last mark is of the same cell. A word less a mark is zero in one of its quarters if that is there.
cdef inline Py_ssize_t place_in(
    uint64_t bucket, uint16_t mark, const char *text, Py_ssize_t length
) noexcept nogil:
    cdef uint8_t *block = block_of(bucket)
    cdef Py_ssize_t count = count_of(bucket)
    cdef const uint16_t *marks = marks_of(block)
    cdef uint64_t four = mark * 0x0001000100010001ULL
    cdef uint64_t hits
    cdef Py_ssize_t first = -1
    cdef Py_ssize_t i
    # The texts are in another line than the marks more often than not.
    prefetch(<char *>block + 64)
    if count == 0:
        return -1
    while first < count:
        memcpy(&hits, marks + first, 8)
        hits ^= four
        hits = (hits - 0x0001000100010001ULL) & ~hits & 0x8000800080008000ULL
        while hits:
            i = first + (trailing_zeros(hits) >> 4)
            if 0 <= i < count and marks[i] == mark and is_at(
                block + size_of(count, widths(marks, i)), mark, text, length
            ):
                return i
            hits &= hits - 1
        first += 4
    return -1

cdef void begin_walk(Walk *walk, uint64_t **segments, Py_ssize_t buckets) noexcept nogil
cdef void begin_bucket(Walk *walk, uint64_t bucket) noexcept nogil
cdef bint walk_on(Walk *walk, const char **text, Py_ssize_t *length) noexcept nogil

cdef bytes text_in(uint64_t bucket, Py_ssize_t index)
cdef void copy_without(
    uint8_t *target, uint8_t *block, Py_ssize_t count, Py_ssize_t index,
    Py_ssize_t before, Py_ssize_t behind,
) noexcept nogil
cdef void chain_blocks(
    uint8_t *target, uint64_t low, Py_ssize_t low_texts, uint64_t high, Py_ssize_t high_texts
) noexcept nogil
cdef void split_block(
    uint64_t bucket, uint16_t bit, int shift, uint64_t low, uint64_t high
) noexcept nogil
cdef void widen_tags(uint64_t bucket, uint64_t bits) noexcept nogil
