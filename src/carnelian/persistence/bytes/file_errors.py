"""What can be wrong with a payload or a file."""

from __future__ import annotations


class FormatError(Exception):
    """What was read is not in the format; the text says what was met.

    ``position`` and ``key`` say where, once that is known.
    """

    position: int | None = None
    key: bytes | None = None


class ShortRead(FormatError):
    """It ends before it is complete."""


class EmptyFile(ShortRead):
    """There is nothing in it at all."""


class Corrupt(FormatError):
    """It says what cannot be."""


class EmptyValue(FormatError):
    """A collection without elements: not corrupt, but nothing to keep."""
