# The same numbers as in access.py, for compiled modules.
cdef enum:
    RO = 1
    RW = 2
    OW = 4
    RM = 8
    ACCESS = 16
    UPDATE = 32
    INSERT = 64
    DELETE = 128
    NOT_KEY = 256
    INCOMPLETE = 512
    VARIABLE_FLAGS = 1024
