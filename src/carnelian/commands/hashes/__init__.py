"""Hashes.

See https://redis.io/docs/latest/develop/data-types/hashes/
"""

from carnelian.commands.hashes import fields, listing

__all__ = ["fields", "listing"]
