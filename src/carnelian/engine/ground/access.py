"""What a command does to a key, as bits. Compiled modules take them from ``access.pxd``.

See https://redis.io/docs/latest/develop/reference/key-specs/ for what each says.
"""

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
