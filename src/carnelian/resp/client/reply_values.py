"""What replies are made of, and the forms in which a reader gives them.

In any form, bulk strings are ``bytes``, numbers ``int``, nulls ``None``, booleans ``bool`` and
arrays ``list``; statuses are :class:`Simple` and errors :class:`Refusal`, which are ``bytes``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


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


class ReplyForm(NamedTuple):
    """Makes the values of which Python has no type that every user wants.

    Texts are given as they came, ``verbatim`` gets format and text, and what is made of many gets a
    list of all; None leaves it a list. What a maker raises comes out of the reader.
    """

    simple: Callable[[bytes], object]
    error: Callable[[bytes], object]
    double: Callable[[bytes], object]
    big_number: Callable[[bytes], object]
    verbatim: Callable[[bytes, bytes], object]
    set: Callable[[list[Any]], object] | None
    map: Callable[[list[Any]], object] | None
    push: Callable[[list[Any]], object] | None


def _text(format: bytes, text: bytes) -> bytes:
    return text


def _dict(items: list[Any]) -> dict[Any, object]:
    keys = map(_frozen, items[::2])
    return dict(zip(keys, items[1::2], strict=True))


def _frozen(key: object) -> object:
    """A key of a dictionary: lists are tuples, and so are the pairs of maps."""
    if isinstance(key, list):
        return tuple(map(_frozen, key))
    if isinstance(key, dict):
        return tuple((name, _frozen(value)) for name, value in key.items())
    return key


# Values to compute with: floats, integers of any size, dictionaries; sets are lists.
PLAIN = ReplyForm(
    simple=Simple,
    error=Refusal,
    double=float,
    big_number=int,
    verbatim=_text,
    set=None,
    map=_dict,
    push=Pushed,
)

# Values that can be written again as they came: types are kept, and so are order and digits.
TYPED = ReplyForm(
    simple=Simple,
    error=Refusal,
    double=Double,
    big_number=BigInteger,
    verbatim=VerbatimText,
    set=Members,
    map=Pairs,
    push=Pushed,
)
