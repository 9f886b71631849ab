"""The stream commands.

See https://redis.io/docs/latest/commands/?group=stream
"""

from carnelian.commands.streams import (
    claims,
    entries,
    groups,
    idempotency,
    information,
    ranges,
    reading,
)

__all__ = ["claims", "entries", "groups", "idempotency", "information", "ranges", "reading"]
