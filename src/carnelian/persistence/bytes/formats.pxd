# The bytes that values and what is between them begin with.
cdef enum:
    STRING = 0
    LIST = 1
    SET = 2
    ZSET = 3
    HASH = 4
    ZSET_2 = 5
    MODULE = 6
    MODULE_2 = 7
    HASH_ZIPMAP = 9
    LIST_ZIPLIST = 10
    SET_INTSET = 11
    ZSET_ZIPLIST = 12
    HASH_ZIPLIST = 13
    LIST_QUICKLIST = 14
    STREAM = 15
    HASH_LISTPACK = 16
    ZSET_LISTPACK = 17
    LIST_QUICKLIST_2 = 18
    STREAM_2 = 19
    SET_LISTPACK = 20
    STREAM_3 = 21
    HASH_TIMES_EARLY = 22     # of a release candidate: times are absolute
    HASH_LISTPACK_TIMES_EARLY = 23
    HASH_TIMES = 24
    HASH_LISTPACK_TIMES = 25
    STREAM_4 = 26
    STREAM_5 = 27
    ARRAY = 28
    LAST_TYPE = 28

cdef enum:
    SLOT_INFO = 244
    FUNCTION = 245
    FUNCTION_EARLY = 246
    MODULE_AUX = 247
    IDLE = 248
    FREQUENCY = 249
    AUX = 250
    RESIZE = 251
    EXPIRY_MS = 252
    EXPIRY = 253
    SELECT = 254
    END = 255

cdef enum:  # containers of the nodes of a quicklist
    PLAIN = 1
    PACKED = 2

cdef enum:
    OLDEST = 10     # the versions that can be written
    WITH_PACKED_SETS = 11
    WITH_TIMES = 12
    WITH_IDEMPOTENCY = 13
    WITH_RELEASED = 14
    WITH_ARRAYS = 14
    NEWEST = 14

cdef inline bint is_type(int byte) noexcept nogil:
    return 0 <= byte <= 7 or 9 <= byte <= LAST_TYPE
