"""The forms in which a reader gives replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from carnelian.resp.client.reply_values import (
    BigInteger,
    Double,
    Members,
    Pairs,
    Pushed,
    Refusal,
    Simple,
    VerbatimText,
)


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
