"""What replies are made of.

In any form, bulk strings are ``bytes``, numbers ``int``, nulls ``None``, booleans ``bool`` and
arrays ``list``; statuses are :class:`Simple` and errors :class:`Refusal`, which are ``bytes``.
"""

from __future__ import annotations

from typing import Any

# What a reader returns when there is no whole reply yet.
MORE: Any = object()


class ReplyError(Exception):
    """What has come is no reply; the text says why."""


class Simple(bytes):
    """A simple string: ``PONG`` of ``+PONG``."""

    __slots__ = ()


class Refusal(bytes):
    """An error: ``ERR no such thing`` of ``-ERR no such thing``."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The error as it is shown."""
        return self.decode(errors="replace")


class Pairs(list[object]):
    """A map: key, value, key, value, in the order in which they came."""

    __slots__ = ()


class Members(list[object]):
    """A set, in the order in which it came."""

    __slots__ = ()


class Pushed(list[object]):
    """A message that no command has asked for."""

    __slots__ = ()


class Double(bytes):
    """A floating point number as the server wrote it: ``3.141``, ``inf``."""

    __slots__ = ()


class BigInteger(bytes):
    """An integer of any size, in digits."""

    __slots__ = ()


class VerbatimText(bytes):
    """A text for people; ``format`` are the three letters that say how it is written (``txt``)."""

    format: bytes

    def __new__(cls, format: bytes, text: bytes) -> VerbatimText:
        """The text in a format."""
        value = super().__new__(cls, text)
        value.format = format
        return value
