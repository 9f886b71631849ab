# The same numbers as in sparing.py, for compiled modules.
cdef enum:
    PAUSED = 1
    LOADING = 2
    DIGESTING = 4
    FOLLOWING = 8
    APPLYING = 16
