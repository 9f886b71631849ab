"""The commands of sorted sets.

See https://redis.io/docs/latest/develop/data-types/sorted-sets/
"""

from carnelian.commands.sorted_sets import adding, combining, lookups, popping, ranges

__all__ = ["adding", "combining", "lookups", "popping", "ranges"]
