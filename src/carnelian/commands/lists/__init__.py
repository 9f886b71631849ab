"""The list commands.

See https://redis.io/docs/latest/commands/?group=list
"""

from carnelian.commands.lists import batches, blocking, elements, ends, moves

__all__ = ["batches", "blocking", "elements", "ends", "moves"]
