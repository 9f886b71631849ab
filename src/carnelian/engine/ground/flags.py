"""Bits and numbers that describe sessions and engines. Compiled modules take them from
``flags.pxd``, as C constants.
"""

# Reasons for the execute pipeline to look twice at a command of a session (Session.gate).
NEEDS_AUTH = 1
IN_MULTI = 2
SUBSCRIBED = 4  # in RESP2, where only a few commands go on
RESTRICTED = 8  # a user with less than all permissions
UNTOUCHING = 16  # CLIENT NO-TOUCH: what it reads keeps the age it has
ON_LINK = 32  # a replica is at the other side, which gets the stream and reads no keys
ASKED = 64  # its next command was sent here to ask for a slot that is on its way (ASKING)

# The same on the side of the engine (Engine.gate).
CHECKED = 1  # a feature asks about every command, see Admission.add_check

# Properties of a session (Session.flags).
FLAG_MONITOR = 1
FLAG_NO_EVICT = 2
FLAG_NO_TOUCH = 4
FLAG_SCRIPT = 8  # runs inside a script or a function
FLAG_PRIMARY = 16  # the stream of this node's primary
FLAG_REPLICA = 32
FLAG_LOADER = 64  # replays the append-only file
FLAG_REEXECUTING = 128  # a blocked command tried again: keeps its place when it cannot go on
FLAG_INTERNAL = 256
FLAG_DENY_BLOCKING = 512  # inside EXEC or a script: what would wait is answered at once
FLAG_READONLY = 1024  # content with what a replica of a cluster knows (READONLY)
FLAG_ASKING = 2048  # may ask for slots that are on their way here, as long as it is ASKED
FLAG_HAS_ASKED = 4096  # the command that ASKING was meant for has come

# The classes of client-output-buffer-limit (Session.output_class).
NORMAL = 0
REPLICA = 1
PUBSUB = 2

# What CLIENT REPLY asked for (Session.reply_mode).
REPLY_ON = 0
REPLY_OFF = 1
REPLY_SKIP_NEXT = 2
REPLY_SKIP = 3
REPLY_NEVER = 4  # the link to a replica, on which nothing is answered

# Members of a large reply that are made at once.
PART = 1024
