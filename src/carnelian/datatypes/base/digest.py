"""The digest that values take themselves into, for DEBUG DIGEST, and the SHA-1 that it rests on."""

from __future__ import annotations

# Python's own: hashlib brings OpenSSL along, which takes longer to load than Lua.
try:
    from _sha1 import sha1  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha1


class Digest:
    """Twenty bytes that take in byte strings, in an order that matters or not."""

    __slots__ = ("_state",)

    def __init__(self, state: bytes = bytes(20)):
        self._state = int.from_bytes(state, "big")

    def blend(self, data: bytes) -> None:
        """Take in data regardless of what comes before or after it."""
        self._state ^= int.from_bytes(sha1(data).digest(), "big")

    def chain(self, data: bytes) -> None:
        """Take in data at this place of a sequence."""
        self.blend(data)
        state, self._state = self.value(), 0
        self.blend(state)

    def value(self) -> bytes:
        """The twenty bytes."""
        return self._state.to_bytes(20, "big")
