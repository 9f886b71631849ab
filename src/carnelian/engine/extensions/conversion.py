"""Between Python values and the engine: the words of a command, and replies either way."""

from __future__ import annotations

import operator
from typing import Any

import cython
from cython.cimports.cpython.bytes import PyBytes_FromObject
from cython.cimports.cpython.float import PyFloat_AsDouble
from cython.cimports.cpython.unicode import PyUnicode_AsUTF8String

from carnelian.resp.replies import (
    MAX_DEPTH,
    NO_REPLY,
    NULL_ARRAY,
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    FlatSet,
    PlainFloat,
    Push,
    Several,
    Status,
    Verbatim,
)

# What a word of a command may be given as, see encode().
Word = bytes | str | int | float | bytearray | memoryview

# What a handler may return as it is, and what a caller gets as it is.
_FINAL = frozenset((bytes, float, bool, Status, PlainFloat, type(None)))
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
        parts = [part if type(part) in _PLAIN else plain(part) for part in value]
        return parts if kind is list else Push(parts)
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
    return _frozen(plain(key))


def _frozen(key: Any) -> object:
    """A key of a dict that stands for a value that cannot be one."""
    if isinstance(key, list):
        return tuple([_frozen(part) for part in key])
    if isinstance(key, set):
        return frozenset(key)
    if isinstance(key, dict):
        return tuple([(part, _frozen(item)) for part, item in key.items()])
    return key


def _plain_set(members: Any) -> object:
    found = [plain(member) for member in members]
    try:
        return set(found)
    except TypeError:
        return found


def to_reply(value: Any) -> object:
    """The reply that a value returned by a user's handler stands for.

    ``str`` becomes bytes; tuples, dicts, sets and iterables become what the protocol has for them,
    at any depth up to MAX_DEPTH; of subclasses only what the C structure holds is left, so that no
    code of theirs runs later. O(n) in the elements.

    Raises:
        TypeError: something in it is of a type that no reply has.
        ValueError: it is nested too deeply, or within itself, or cannot be written.
    """
    if value is NO_REPLY:
        return value
    if type(value) is Several:
        return Several([_reply(part, 1) for part in value])
    if type(value) is Push:
        return Push([_reply(part, 1) for part in value])
    return _reply(value, 0)


@cython.cfunc
def _reply(value: Any, depth: cython.int) -> object:
    """:func:`to_reply` of something that may stand within other replies."""
    kind = type(value)
    if kind in _FINAL or value is NULL_ARRAY:
        return value
    if kind is int:
        return _integer(value)
    if kind is list or kind is tuple or kind is dict:
        return _gathered(value, kind, depth)
    if isinstance(value, str):
        return PyUnicode_AsUTF8String(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return PyBytes_FromObject(value)
    if isinstance(value, float):
        return PyFloat_AsDouble(value)
    if isinstance(value, Error):
        check_error(value)
        return value
    if kind is Verbatim:
        return _verbatim(value)
    if hasattr(value, "__index__"):
        return _integer(operator.index(value))
    if hasattr(value, "__iter__") or kind is Attribute:
        return _gathered(value, kind, depth)
    raise TypeError(f"a command cannot reply with a {kind.__name__}")


@cython.cfunc
def _gathered(value: Any, kind: Any, depth: cython.int) -> object:
    """:func:`_reply` of what holds others."""
    if depth >= MAX_DEPTH:
        raise ValueError("a reply is nested too deeply, or contains itself")
    if kind is list or kind is tuple:
        return _parts(value, depth)
    if isinstance(value, dict):
        return FlatMap(_parts([part for key, item in value.items() for part in (key, item)], depth))
    if isinstance(value, (set, frozenset, FlatSet)):
        return FlatSet(_parts(value, depth))
    if isinstance(value, FlatMap):
        if len(value) % 2:
            raise ValueError("a map has as many values as keys")
        return FlatMap(_parts(value, depth))
    if kind is Attribute:
        attributes = {
            _reply(key, depth + 1): _reply(part, depth + 1)
            for key, part in value.attributes.items()
        }
        return Attribute(attributes, _reply(value.value, depth + 1))
    return _parts(value, depth)


@cython.cfunc
def _parts(value: Any, depth: cython.int) -> list:
    return [_reply(part, depth + 1) for part in value]


@cython.cfunc
def _integer(number: Any) -> object:
    """An int of that very type, or the big number that stands for it."""
    if -(1 << 63) <= number < 1 << 63:
        return number if type(number) is int else int.__add__(number, 0)
    # A number may have more digits than Python is willing to write.
    return BigNumber(b"%d" % number)


@cython.cfunc
def _verbatim(value: Any) -> object:
    text = _reply(value.text, 0)
    if type(text) is not bytes or type(value.format) is not bytes or len(value.format) != 3:
        raise ValueError("a verbatim string is a text, and a format of three letters")
    return Verbatim(text, value.format)


def check_error(error: Error) -> None:
    """Raise TypeError unless an error of a user's class is what the engine takes it for.

    A class of one's own may have replaced what its instances should have.
    """
    if type(error) is Error or (type(error.message) is bytes and type(error.code) is str):
        return
    raise TypeError(f"a {type(error).__name__} has no message and code of an error")
