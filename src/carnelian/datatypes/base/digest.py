"""The digest that values take themselves into, for DEBUG DIGEST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_sha1: Callable[[bytes], Any] | None = None


class Digest:
    """Twenty bytes that take in byte strings, in an order that matters or not."""

    __slots__ = ("_state",)

    def __init__(self, state: bytes = bytes(20)):
        self._state = int.from_bytes(state, "big")

    def blend(self, data: bytes) -> None:
        """Take in data regardless of what comes before or after it."""
        self._state ^= int.from_bytes((_sha1 or _load())(data).digest(), "big")

    def chain(self, data: bytes) -> None:
        """Take in data at this place of a sequence."""
        self.blend(data)
        state, self._state = self.value(), 0
        self.blend(state)

    def value(self) -> bytes:
        """The twenty bytes."""
        return self._state.to_bytes(20, "big")


def _load() -> Callable[[bytes], Any]:
    """OpenSSL, on which it rests, takes a while to load, and few ask for digests."""
    global _sha1
    from hashlib import sha1

    _sha1 = sha1
    return sha1
