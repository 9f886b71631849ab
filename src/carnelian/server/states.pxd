# The same numbers as in states.py, for compiled modules.
cdef enum:
    PENDING = 1
    CLOSE_AFTER = 2
    CLOSE_SOON = 4
    CLOSED = 8
    BUSY = 16
    RESUMING = 32
    UNIX_SOCKET = 64
