# The same numbers as in events.py, for compiled modules.
cdef enum:
    KEYSPACE = 1
    KEYEVENT = 2
    GENERIC = 4
    STRING = 8
    LIST = 16
    SET = 32
    HASH = 64
    ZSET = 128
    EXPIRED = 256
    EVICTED = 512
    STREAM = 1024
    KEY_MISS = 2048
    LOADED = 4096
    MODULE = 8192
    NEW = 16384
    OVERWRITTEN = 32768
    TYPE_CHANGED = 65536
    ARRAY = 262144
