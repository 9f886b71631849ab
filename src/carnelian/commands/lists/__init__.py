"""The list commands.

See https://redis.io/docs/latest/commands/?group=list
"""

from carnelian.commands.lists import blocking, elements, ends, moves

__all__ = ["blocking", "elements", "ends", "moves"]
