"""What the state of a connection is made of. Compiled modules take the numbers from ``states.pxd``,
as C constants.
"""

# Bits of Connection.state.
PENDING = 1  # listed with output for this turn
CLOSE_AFTER = 2  # ends once its replies are sent
CLOSE_SOON = 4  # ends at the next safe point
CLOSED = 8
BUSY = 16  # a command of it runs
RESUMING = 32
UNIX_SOCKET = 64
