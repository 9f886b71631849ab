"""The bitmap commands: strings as arrays of bits.

See https://redis.io/docs/latest/commands/?group=bitmap
"""

from carnelian.commands.bitmaps import bitfields, bits

__all__ = ["bitfields", "bits"]
