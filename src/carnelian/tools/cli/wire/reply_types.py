"""What replies are made of, as far as Python has no type that says it.

Bulk strings are ``bytes``, numbers ``int``, nulls ``None``, booleans ``bool``, arrays ``list``.
Statuses are :class:`Simple`, errors :class:`Refusal`.
"""

from __future__ import annotations

from carnelian.sentinel.links.reply_reader import Refusal, ReplyError, Simple

__all__ = [
    "BigInteger",
    "Double",
    "Members",
    "Pairs",
    "Pushed",
    "Refusal",
    "ReplyError",
    "Simple",
    "VerbatimText",
]


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
    """A text for people, without the three letters that say of what format it is."""

    __slots__ = ()
