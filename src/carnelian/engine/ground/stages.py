"""The order in which a command is judged before it runs. Compiled modules take the numbers from
``stages.pxd``.

It is that of Redis (``processCommand`` of its ``server.c``, the same from 7.0 to 8), which clients
see by which of several errors they get. Before all of these, words that make no command are
refused (no such name, wrong number of arguments). Those of the engine itself are PROTECTED,
AUTHENTICATION, TRANSACTION, SUBSCRIPTION, PAUSE and QUEUE; the others belong to features.
"""

PROTECTED = 0  # DEBUG and MODULE, which the configuration has to allow
AUTHENTICATION = 1  # nobody has said who they are
TRANSACTION = 2  # what may not stand inside MULTI
USERS = 3  # what this user may run, and on which keys and channels (ACL)
CLUSTER = 4  # another node has the keys
MEMORY = 5  # it needs memory where there is none left
DISK = 6  # what it writes could not be saved
REPLICAS = 7  # what it writes would reach too few replicas
ROLE = 8  # it writes, and this is a replica that only reads
SUBSCRIPTION = 9  # what may not be asked between messages in RESP2
STALE = 10  # this is a replica that has lost its primary
LOADING = 11  # the data is not there yet
BUSY = 12  # a script has been running for too long
LINK = 13  # it comes from a replica, which may not touch keys
PAUSE = 14  # it has to wait for the end of CLIENT PAUSE
QUEUE = 15  # it waits for EXEC
