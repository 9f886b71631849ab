"""Between Python values and the engine: the words of a command, and replies either way."""

from __future__ import annotations

from typing import Any

import cython

from carnelian.resp.replies import (
    NO_REPLY,
    NULL_ARRAY,
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    FlatSet,
    Push,
    Several,
    Verbatim,
)

_LISTS = (FlatMap, FlatSet, Push, Several)
# What a handler may return as it is, and what a caller gets as it is.
_LEAVES = (bytes, float, bool, Error, Verbatim, BigNumber, type(NULL_ARRAY), type(None))
_PLAIN = frozenset((bytes, int, float, bool, str, type(None)))


@cython.ccall
def encode(value: object) -> bytes:
    """A word of a command: ``bytes`` and the like as they are, ``str`` in UTF-8, numbers in text.

    Raises TypeError for anything else; ``bool`` and ``None`` have no form that all would expect.
    """
    if type(value) is bytes:
        return value
    if isinstance(value, str):
        return cython.cast(str, value).encode("utf-8")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return b"%d" % value
    if isinstance(value, float):
        return float.__repr__(value).encode("ascii")
    raise TypeError(
        f"cannot send a {type(value).__name__} ({value!r:.60}): "
        "pass bytes, str, int, float, bytearray or memoryview"
    )


@cython.ccall
def encode_all(words: Any) -> list:
    """The words of a command, each encoded; raises TypeError if there is none."""
    encoded: list = [encode(word) for word in words]
    if not encoded:
        raise TypeError("a command has at least a name")
    return encoded


@cython.ccall
def plain(value: Any) -> object:
    """A reply in Python's own types: what a caller in the same process gets.

    Maps are dicts, sets are sets, verbatim texts are bytes, both nulls are None. Errors within a
    list stay there as values. O(n) in the elements.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is Push:
        return kind([part if type(part) in _PLAIN else plain(part) for part in value])
    if value is NULL_ARRAY or value is NO_REPLY:
        return None
    if kind is FlatMap:
        return {
            _hashable(key): plain(part) for key, part in zip(value[::2], value[1::2], strict=True)
        }
    if kind is dict:
        return {_hashable(key): plain(part) for key, part in value.items()}
    if kind is FlatSet or kind is set:
        return _plain_set(value)
    if kind is Verbatim:
        return value.text
    if kind is Attribute:
        return plain(value.value)
    if kind is Several:
        return plain(value[0]) if len(value) == 1 else [plain(part) for part in value]
    return value


def _hashable(key: Any) -> object:
    key = plain(key)
    return tuple(key) if isinstance(key, list) else key


def _plain_set(members: Any) -> object:
    found = [plain(member) for member in members]
    try:
        return set(found)
    except TypeError:
        return found


def to_reply(value: Any) -> object:
    """The reply that a value returned by a user's handler stands for.

    ``str`` becomes bytes; tuples, dicts, sets and iterables become what the protocol has for them,
    at any depth. Raises TypeError for what is no reply. O(n) in the elements.
    """
    if isinstance(value, _LEAVES):
        return value
    if isinstance(value, str):
        return value.encode("utf-8")
    if hasattr(value, "__index__"):
        number = value.__index__()
        return number if -(1 << 63) <= number < 1 << 63 else BigNumber(number)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return FlatMap([to_reply(part) for item in value.items() for part in item])
    if isinstance(value, (set, frozenset)):
        return FlatSet([to_reply(member) for member in value])
    if isinstance(value, Attribute):
        attributes = {to_reply(key): to_reply(part) for key, part in value.attributes.items()}
        return Attribute(attributes, to_reply(value.value))
    if hasattr(value, "__iter__"):
        kind = type(value) if isinstance(value, _LISTS) else list
        return kind([to_reply(element) for element in value])
    raise TypeError(f"a command cannot reply with a {type(value).__name__}")
