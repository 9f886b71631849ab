"""What can be wrong with a payload or a file."""

from __future__ import annotations


class FormatError(Exception):
    """What was read is not in the format; the text says what was met."""


class ShortRead(FormatError):
    """It ends before it is complete."""


class Corrupt(FormatError):
    """It says what cannot be."""


class EmptyValue(FormatError):
    """A collection without elements: not corrupt, but nothing to keep."""
