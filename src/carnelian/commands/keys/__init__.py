"""The commands that work on keys of any type, and on whole databases.

See https://redis.io/docs/latest/commands/?group=generic
"""

from carnelian.commands.keys import (
    databases,
    existence,
    expiry,
    inspection,
    naming,
    scanning,
)

__all__ = [
    "databases",
    "existence",
    "expiry",
    "inspection",
    "naming",
    "scanning",
]
