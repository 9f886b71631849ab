# The same numbers as in shebangs.py, for compiled modules.
cdef enum:
    NO_WRITES = 1
    ALLOW_OOM = 2
    ALLOW_STALE = 4
    NO_CLUSTER = 8
    ALLOW_CROSS_SLOT_KEYS = 16
    SILENT = 32
