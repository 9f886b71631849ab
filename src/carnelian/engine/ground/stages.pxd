# The same numbers as in stages.py, for compiled modules.
cdef enum:
    PROTECTED = 0
    AUTHENTICATION = 1
    TRANSACTION = 2
    USERS = 3
    CLUSTER = 4
    MEMORY = 5
    DISK = 6
    REPLICAS = 7
    ROLE = 8
    SUBSCRIPTION = 9
    STALE = 10
    LOADING = 11
    BUSY = 12
    LINK = 13
    PAUSE = 14
    QUEUE = 15
