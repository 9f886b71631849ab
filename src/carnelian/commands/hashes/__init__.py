"""Hashes.

See https://redis.io/docs/latest/develop/data-types/hashes/
"""

from carnelian.commands.hashes import combined, fields, listing, times

__all__ = ["combined", "fields", "listing", "times"]
