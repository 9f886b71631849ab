"""What a handler may return besides plain Python values, and the errors it may raise.

``bytes``, ``int``, ``None``, ``list``, ``dict``, ``set``, ``float`` and ``bool`` stand for
themselves; the types here say what those cannot. Only the writer knows how any of them looks on
the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

import cython

# Levels of lists in each other that a reply may have.
MAX_DEPTH: int = 500


class Status(bytes):
    """A simple string such as ``OK``; compares equal to the bytes it holds."""

    __slots__ = ()


# Bytes of what still is the code of an error.
_LONGEST_CODE = 30


@cython.cclass
class Error(Exception):
    """An error reply: ``Error("ERR syntax error")``, the code being the first word.

    Raised by handlers; a reply that carries one inside (EXEC) holds it as a value. Compiled
    functions leave no trace in its traceback.
    """

    def __init__(self, message: str | bytes):
        # What is raised often is made often: `args` are there before this.
        if not isinstance(message, bytes):
            message = message.encode("utf-8", "backslashreplace")
        self.message = message

    @property
    def code(self) -> str:
        """The first word, such as ``ERR`` or ``WRONGTYPE``; what ``INFO errorstats`` counts.

        A message that is one word, or begins with a very long one, has none: that is an ``ERR``.
        """
        word, space, _ = self.message.partition(b" ")
        return word.decode("latin-1") if space and len(word) <= _LONGEST_CODE else "ERR"

    def fresh(self) -> Error:
        """The same once more, for code that keeps what it catches: see :data:`WRONG_TYPE`."""
        other = self.__class__.__new__(self.__class__, *self.args)
        other.message = self.message
        return other

    def __str__(self) -> str:
        return self.message.decode("utf-8", "backslashreplace")


@cython.cclass
class CountedError(Error):
    """An error that a command within the one that fails has been counted for."""


class Redirection(Error):
    """The keys of a command are not to be had here. What EXEC is refused with is shown as it is."""


class WrongType(Error):
    """The key holds a value of another type than the command works on."""

    def __init__(self) -> None:
        super().__init__("WRONGTYPE Operation against a key holding the wrong kind of value")


class SyntaxError_(Error):
    """The options of a command do not fit its grammar."""

    def __init__(self) -> None:
        super().__init__("ERR syntax error")


# Made once for all: they are raised by handlers, and hold nothing when the engine has caught them.
# What leaves the engine as an exception is a fresh one.
WRONG_TYPE = WrongType()
SYNTAX_ERROR = SyntaxError_()
NO_INTEGER = Error("ERR value is not an integer or out of range")
NO_FLOAT = Error("ERR value is not a valid float")
NO_SUCH_KEY = Error("ERR no such key")


class Push(list):
    """An out-of-band message: a push in RESP3, an array in RESP2."""

    __slots__ = ()


class Several(list):
    """Several replies to one command, one after the other (SUBSCRIBE of two channels)."""

    __slots__ = ()


class FlatMap(list):
    """A map given as ``[key, value, key, value, ...]``: no hashing, order and duplicates kept."""

    __slots__ = ()


class FlatSet(list):
    """A set given as a list of members that are known to be distinct."""

    __slots__ = ()


class Lazy:
    """A large array that is made part by part while it is written, so that it never lies in memory
    as a whole.

    Args:
        parts: an iterator of lists of members.
        count: how many members come in all; None if only the end of the parts tells.
        kind: ``list``, ``FlatMap`` or ``FlatSet``.
    """

    __slots__ = ("count", "kind", "parts")

    def __init__(self, parts: Iterator[list], count: int | None = None, kind: type = list):
        self.parts = parts
        self.count = count
        self.kind = kind


class Verbatim:
    """A text with a three-letter format (``txt``, ``mkd``); a bulk string in RESP2."""

    __slots__ = ("format", "text")

    def __init__(self, text: bytes, format: bytes = b"txt"):
        self.text = text
        self.format = format


class BigNumber(int):
    """An integer outside 64 bits; a bulk string in RESP2."""

    __slots__ = ()


class Unsigned(int):
    """An integer up to 2**64 - 1, which is written as an integer even where it takes all bits."""

    __slots__ = ()


class BigText(bytes):
    """What stands in the place of a big number, though it may be none; a bulk string in RESP2."""

    __slots__ = ()


class PlainFloat(float):
    """A double that is written with up to 17 digits after the point and without an exponent."""

    __slots__ = ()


class Attribute:
    """A reply with attributes before it, which RESP2 leaves out."""

    __slots__ = ("attributes", "value")

    def __init__(self, attributes: dict, value: object):
        self.attributes = attributes
        self.value = value


class Sentinel:
    """A reply that is one of a kind, compared by identity."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


OK = Status(b"OK")
QUEUED = Status(b"QUEUED")
PONG = Status(b"PONG")

# The null of a command whose normal reply is an array: `*-1` in RESP2, `_` in RESP3.
NULL_ARRAY = Sentinel("NULL_ARRAY")
# Nothing is sent now: the command blocks, or has sent what it had to.
NO_REPLY = Sentinel("NO_REPLY")
