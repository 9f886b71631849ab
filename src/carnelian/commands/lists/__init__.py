"""The list commands.

See https://redis.io/docs/latest/commands/?group=list
"""

from carnelian.commands.lists import batches, elements, ends, moves, waiting

__all__ = ["batches", "elements", "ends", "moves", "waiting"]
