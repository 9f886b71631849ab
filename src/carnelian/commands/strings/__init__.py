"""The string commands.

See https://redis.io/docs/latest/commands/?group=string
"""

from carnelian.commands.strings import counters, pairs, pieces, values

__all__ = ["counters", "pairs", "pieces", "values"]
