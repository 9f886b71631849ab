# The same numbers as in poller.py, for compiled modules.
cdef enum:
    READABLE = 1
    WRITABLE = 4
