"""Why keys past their time are spared for now: the bits of ``State.spared``.

Each has one owner, who sets it with ``State.spare_overdue`` and clears it with
``State.cease_sparing``; what the others have set stays as it is. Compiled modules take the bits
from ``sparing.pxd``.
"""

PAUSED = 1  # by CLIENT PAUSE: they are hidden, but not deleted
LOADING = 2  # a file is read, whose own commands say what goes: they are there like all others
DIGESTING = 4  # DEBUG DIGEST counts them in
FOLLOWING = 8  # the primary of this replica says what goes: they are hidden, but not deleted
APPLYING = 16  # commands of that primary run: they are there like all others
