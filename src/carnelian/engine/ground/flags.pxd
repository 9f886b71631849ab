# The same numbers as in flags.py, for compiled modules.
cdef enum:
    NEEDS_AUTH = 1
    IN_MULTI = 2
    SUBSCRIBED = 4
    RESTRICTED = 8
    UNTOUCHING = 16
    ON_LINK = 32
    CHECKED = 1
    FLAG_MONITOR = 1
    FLAG_NO_EVICT = 2
    FLAG_NO_TOUCH = 4
    FLAG_SCRIPT = 8
    FLAG_PRIMARY = 16
    FLAG_REPLICA = 32
    FLAG_LOADER = 64
    FLAG_REEXECUTING = 128
    FLAG_INTERNAL = 256
    FLAG_DENY_BLOCKING = 512
    NORMAL = 0
    REPLICA = 1
    PUBSUB = 2
    REPLY_ON = 0
    REPLY_OFF = 1
    REPLY_SKIP_NEXT = 2
    REPLY_SKIP = 3
    REPLY_NEVER = 4
    PART = 1024
