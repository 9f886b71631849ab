"""Words of files and of other Sentinels as text, and the numbers in them."""

from __future__ import annotations

import re

from carnelian.resp.replies import Error

_NUMBER = re.compile(r"[ \t\n\r\v\f]*([+-]?[0-9]+)")


def to_text(word: bytes) -> str:
    """A word as text, whatever its bytes are."""
    return word.decode("utf-8", "surrogateescape")


def to_bytes(value: object) -> bytes:
    """A text or a number as the bytes it came from."""
    return str(value).encode("utf-8", "surrogateescape")


def without_controls(what: str, word: bytes) -> str:
    """A word as text; raises Error if it holds what would begin another line of a file."""
    if any(byte < 0x20 or byte == 0x7F for byte in word):
        raise Error(f"ERR {what} must not contain control characters")
    return to_text(word)


def atoi(word: str) -> int:
    """The number that a word begins with, 0 if there is none."""
    found = _NUMBER.match(word)
    return int(found[1][:20]) if found else 0
