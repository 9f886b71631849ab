"""The string commands.

See https://redis.io/docs/latest/commands/?group=string
"""

from carnelian.commands.strings import bounded, counters, pairs, pieces, values

__all__ = ["bounded", "counters", "pairs", "pieces", "values"]
