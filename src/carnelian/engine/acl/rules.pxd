# The same numbers as in rules.py, for compiled modules.
cdef enum:
    READ = 1
    WRITE = 2
    BOTH = 3
