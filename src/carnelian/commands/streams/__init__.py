"""The stream commands.

See https://redis.io/docs/latest/commands/?group=stream
"""

from carnelian.commands.streams import (
    claims,
    entries,
    groups,
    id_ranges,
    idempotency,
    reading,
    xinfo,
)

__all__ = ["claims", "entries", "groups", "id_ranges", "idempotency", "reading", "xinfo"]
