"""Replies of RESP2 and RESP3, cut out of the bytes that come from a server.

The reader of Sentinels begins a reply anew whenever more of it has come, which suits its short
replies. This one goes on where it was: a list of millions takes time in proportion.
"""

from __future__ import annotations

from carnelian.sentinel.links.reply_reader import MORE
from carnelian.tools.cli.wire.reply_types import (
    BigInteger,
    Double,
    Members,
    Pairs,
    Pushed,
    Refusal,
    ReplyError,
    Simple,
    VerbatimText,
)

__all__ = ["MORE", "ReplyParser"]

# Lists in lists that a reply may have.
_DEEPEST = 200
_LONGEST_LINE = 64 * 1024

_LISTS: dict[int, type[list[object]]] = {
    ord("*"): list,
    ord("~"): Members,
    ord(">"): Pushed,
    ord("%"): Pairs,
    ord("|"): Pairs,
}
_BULK, _INTEGER, _ATTRIBUTE = ord("$"), ord(":"), ord("|")
_TEXTS: dict[int, type[bytes]] = {
    ord("+"): Simple,
    ord("-"): Refusal,
    ord(","): Double,
    ord("("): BigInteger,
}
_LONG_TEXTS: dict[int, type[bytes]] = {ord("="): VerbatimText, ord("!"): Refusal}


class _Open:
    """A list of which not all has come."""

    __slots__ = ("attribute", "left", "values")

    def __init__(self, values: list[object], left: int, attribute: bool):
        self.values = values
        self.left = left
        self.attribute = attribute


class ReplyParser:
    """Takes bytes in any pieces, gives replies of the types of ``reply_types``.

    Attributes, which tell something about the reply that follows, are left out.
    """

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._pieces: list[bytes] = []
        # Bytes in the pieces, and how many of them have to be there before it is worth to look.
        self._waiting = self._wanted = 0
        self._open: list[_Open] = []

    def feed(self, data: bytes) -> None:
        """Take in what has come."""
        self._pieces.append(data)
        self._waiting += len(data)

    @property
    def idle(self) -> bool:
        """Whether nothing has come that was not taken."""
        return not self._open and self._at == len(self._data) and not self._waiting

    def take(self) -> object:
        """The next reply, or MORE. Raises ReplyError, and then there is no next one."""
        if self._waiting:
            if self._waiting < self._wanted:
                return MORE
            self._data = b"".join((self._data[self._at :], *self._pieces))
            self._pieces.clear()
            self._at = self._waiting = self._wanted = 0
        while True:
            value = self._element()
            if value is MORE:
                return MORE
            if isinstance(value, _Open):
                if value.left:
                    self._open.append(value)
                    continue
                if value.attribute:
                    continue
                value = value.values
            if self._open:
                value = self._placed(value)
            if value is not MORE:
                return value

    def _placed(self, value: object) -> object:
        """Put an element into the list that is open; MORE unless that was the last of all."""
        while self._open:
            innermost = self._open[-1]
            innermost.values.append(value)
            innermost.left -= 1
            if innermost.left:
                return MORE
            self._open.pop()
            if innermost.attribute:
                return MORE
            value = innermost.values
        return value

    def _element(self) -> object:
        """What stands at the position: a value, the beginning of a list, or MORE."""
        data, at = self._data, self._at
        end = data.find(b"\r\n", at)
        if end < 0:
            if len(data) - at > _LONGEST_LINE:
                raise ReplyError("Protocol error, a line without an end")
            return MORE
        kind = data[at]
        if kind == _BULK:
            return self._bulk(at, end, bytes)
        if kind == _INTEGER:
            self._at = end + 2
            return _number(data[at + 1 : end])
        if kind in _LISTS:
            return self._begin(kind, data[at + 1 : end], end + 2)
        if kind in _LONG_TEXTS:
            return self._bulk(at, end, _LONG_TEXTS[kind])
        self._at = end + 2
        return _line(kind, data[at + 1 : end])

    def _bulk(self, at: int, end: int, made: type[bytes]) -> object:
        data = self._data
        length = _number(data[at + 1 : end])
        begin = end + 2
        if length < 0:
            self._at = begin
            return None
        stop = begin + length
        if len(data) < stop + 2:
            self._wanted = stop + 2 - len(data)
            return MORE
        self._at = stop + 2
        text = data[begin:stop]
        if made is bytes:
            return text
        return made(text[4:] if made is VerbatimText else text)

    def _begin(self, kind: int, count: bytes, after: int) -> object:
        length = _number(count)
        self._at = after
        if length < 0:
            return None
        if len(self._open) >= _DEEPEST:
            raise ReplyError("Protocol error, too many lists in each other")
        made = _LISTS[kind]
        return _Open(made(), length * 2 if made is Pairs else length, kind == _ATTRIBUTE)


def _line(kind: int, text: bytes) -> object:
    """The value of a type that is one line."""
    made = _TEXTS.get(kind)
    if made is not None:
        return made(text)
    if kind == ord("_"):
        return None
    if kind == ord("#"):
        return text == b"t"
    raise ReplyError(f'Protocol error, got "{_shown(kind)}" as reply type byte')


def _shown(kind: int) -> str:
    return chr(kind) if 32 <= kind < 127 else f"\\x{kind:02x}"


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ReplyError("Protocol error, bad length or integer") from None
