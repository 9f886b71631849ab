"""Replies of RESP2 and RESP3, cut out of the bytes that come from a server.

However the bytes are cut into pieces, reading takes time in proportion to them: a list goes on
where it was, and what waits for its end is looked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from carnelian.resp.client.reply_values import MORE, ReplyError
from carnelian.resp.client.value_forms import PLAIN, ReplyForm

if TYPE_CHECKING:
    import re


class ReplyTooLargeError(ReplyError):
    """A reply is larger than its reader takes."""


class Limits(NamedTuple):
    """What one reply may have.

    - ``depth``: lists in each other.
    - ``line``: bytes of a status, an error, a number.
    - ``string``: bytes of a string.
    - ``size``: bytes in all, as they come; None for any number.
    - ``items``: elements in all; None for any number.
    """

    depth: int = 200
    line: int = 64 * 1024
    string: int = 512 * 1024 * 1024
    size: int | None = None
    items: int | None = None


_DEFAULT = Limits()
_ANY = 1 << 62
_END = b"\r\n"

_BULK, _INTEGER, _SIMPLE, _ERROR = ord("$"), ord(":"), ord("+"), ord("-")
_VERBATIM, _BLOB_ERROR = ord("="), ord("!")
_ARRAY, _SET, _MAP, _PUSH, _ATTRIBUTE = ord("*"), ord("~"), ord("%"), ord(">"), ord("|")
_NULL, _BOOLEAN, _DOUBLE, _BIG = ord("_"), ord("#"), ord(","), ord("(")

_LISTS = frozenset((_ARRAY, _SET, _MAP, _PUSH, _ATTRIBUTE))
_IN_PAIRS = frozenset((_MAP, _ATTRIBUTE))
_DOUBLE_FORM = rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)"
_BIG_FORM = rb"[+-]?\d+"
# Digits that a length or an integer may have, with its sign.
_LONGEST_NUMBER = 20

# Statuses, integers and nulls in a row: there is nothing in them that one would have to measure.
_SHORT = rb"(?:(?:\+[^\r\n]*+|:-?\d{1,19}|\$-1|_)\r\n)*+"

# Strings in a list are taken many at a time, while they are short and there are some.
_FEW = 4
_ROOM = 64
_WINDOW = 1 << 20
_HEADS = {length: b"$%d" % length for length in range(1024)}


class _Open:
    """A list of which not all has come; ``alike`` while its elements seem to be short strings."""

    __slots__ = ("alike", "kind", "left", "values")

    def __init__(self, kind: int, left: int):
        self.kind = kind
        self.left = left
        self.values: list[object] = []
        self.alike = True


class ReplyReader:
    """Takes bytes in any pieces and gives replies, one after the other.

    Requests, which are arrays of strings, can be read as well.

    Args:
        form: which values replies are.
        limits: what a reply may have.
    """

    def __init__(self, form: ReplyForm = PLAIN, limits: Limits = _DEFAULT):
        self._form = form
        self._limits = limits
        self._most_size = _ANY if limits.size is None else limits.size
        self._most_items = _ANY if limits.items is None else limits.items
        # Bytes that are being read, from a position on.
        self._data = b""
        self._at = 0
        # What came behind them. Its beginning was looked at: of a string it has to have so many
        # bytes, of a line so many have no end in them.
        self._tail = bytearray()
        self._wanted = self._seen = 0
        # Where in the data the reply begins, less than 0 if before them, and what it has so far.
        self._start = 0
        self._items = 0
        self._open: list[_Open] = []
        self._told: list[object] | None = None
        self.attributes: list[object] | None = None
        """What the server has told about the reply that was taken last: names and values by turns;
        None if nothing. Attributes of elements are left out."""

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take in what has come."""
        if not self._tail and self._at == len(self._data):
            self._start -= self._at
            self._data, self._at = data if type(data) is bytes else bytes(data), 0
        else:
            self._tail += data

    @property
    def idle(self) -> bool:
        """Whether nothing has come that was not taken."""
        begun = self._open or self._told is not None
        return not begun and self._at == len(self._data) and not self._tail

    def rest(self) -> bytes:
        """What has come behind the last reply that was taken, which is given away unread.

        For what turns into something else than replies. A reply must not have been begun.
        """
        rest = self._data[self._at :] + bytes(self._tail)
        self._data, self._at, self._start = b"", 0, 0
        self._tail = bytearray()
        self._wanted = self._seen = 0
        return rest

    def take(self) -> Any:
        """The next reply, or MORE. Raises ReplyError, and then there is no next one."""
        while True:
            value = self._next()
            if value is not MORE or not self._refill():
                return value

    def pass_short(self) -> int:
        """Leave out the statuses, integers and nulls that come next; returns how many.

        What else comes is for :meth:`take`, and so is what has not come wholly.
        """
        if self._open or self._told is not None:
            return 0
        found = _pattern(_SHORT).match(self._data, self._at)
        assert found is not None
        count = self._data.count(_END, self._at, found.end())
        self._at = self._start = found.end()
        return count

    # -- Bytes -----------------------------------------------------------------------------------

    def _refill(self) -> bool:
        """Go on to what came behind the data, if it is worth to look at."""
        if self._data:
            self._turn()
        tail = self._tail
        if self._wanted:
            if len(tail) < self._wanted:
                return False
        elif tail.find(_END, self._seen) < 0:
            if len(tail) > self._limits.line + 1:
                raise ReplyError("Protocol error, a line without an end")
            # The end may have come by half.
            self._seen = max(len(tail) - 1, 0)
            return False
        self._data, self._tail = bytes(tail), bytearray()
        self._wanted = self._seen = 0
        return True

    def _turn(self) -> None:
        """Put what is left of the data in front of what came behind them."""
        rest = self._data[self._at :]
        self._start -= self._at
        self._data, self._at = b"", 0
        if rest:
            self._tail[:0] = rest

    # -- Replies ---------------------------------------------------------------------------------

    def _next(self) -> Any:
        """The next reply of the data, or MORE."""
        opened = self._open
        while True:
            if opened and opened[-1].alike and opened[-1].left >= _FEW:
                value = self._run(opened[-1])
            else:
                value = MORE
            if value is MORE:
                value = self._element()
                if value is MORE:
                    return MORE
                if value is _BEGUN:
                    continue
                if opened:
                    inner = opened[-1]
                    inner.values.append(value)
                    inner.left -= 1
                    if inner.left:
                        continue
                    value = _ENDED
            if self._at - self._start > self._most_size:
                raise self._too_large()
            if value is _ENDED:
                value = self._ended()
                if value is MORE:
                    continue
            self.attributes, self._told = self._told, None
            self._start, self._items = self._at, 0
            return value

    def _ended(self) -> Any:
        """What the lists are that have ended; MORE unless that is a whole reply."""
        opened = self._open
        while True:
            inner = opened.pop()
            if inner.kind == _ATTRIBUTE:
                if not opened:
                    self._told = inner.values
                return MORE
            value = self._made(inner.kind, inner.values)
            if not opened:
                return value
            outer = opened[-1]
            outer.values.append(value)
            outer.left -= 1
            if outer.left:
                return MORE

    def _made(self, kind: int, values: list[object]) -> object:
        form = self._form
        if kind == _ARRAY:
            return values
        make = form.map if kind == _MAP else form.set if kind == _SET else form.push
        return values if make is None else make(values)

    def _run(self, inner: _Open) -> Any:
        """Take strings that stand next to each other; _ENDED if the list has all then, else MORE.

        The bytes are split at the ends of lines, no matter what stands there. As long as each
        second piece is the head that belongs to the piece behind it, that was right.
        """
        window = self._data[self._at : self._at + min(_ROOM * inner.left, _WINDOW)]
        if not window.startswith(b"$"):
            inner.alike = not window
            return MORE
        pieces = window.split(_END, 2 * inner.left)
        whole = (len(pieces) - 1) // 2
        heads, values = pieces[: 2 * whole : 2], pieces[1 : 2 * whole : 2]
        count = whole
        if heads != list(map(_HEADS.get, map(len, values))):
            pairs = zip(heads, values, strict=True)
            count = next(at for at, (head, value) in enumerate(pairs) if _wrong(head, value))
            del values[count:]
            inner.alike = count * 2 > whole
        if count:
            self._at += sum(map(len, pieces[: 2 * count])) + 4 * count
            inner.values += values
            inner.left -= count
        return MORE if inner.left else _ENDED

    def _element(self) -> Any:
        """What stands at the position: a value, the beginning of a list (_BEGUN), or MORE."""
        data, at = self._data, self._at
        end = data.find(_END, at)
        if end < 0:
            return MORE
        kind = data[at]
        if kind == _BULK:
            return self._string(at, end)
        if kind == _INTEGER:
            self._at = end + 2
            return _number(data[at + 1 : end])
        if kind in _LISTS:
            return self._begin(kind, data[at + 1 : end], end + 2)
        if kind in (_VERBATIM, _BLOB_ERROR):
            text = self._string(at, end)
            return text if text is MORE or text is None else self._long_text(kind, text)
        if end - at > self._limits.line:
            raise ReplyError("Protocol error, a line without an end")
        self._at = end + 2
        return self._line(kind, data[at + 1 : end])

    def _string(self, at: int, end: int) -> Any:
        data = self._data
        length = _length(data[at + 1 : end])
        begin = end + 2
        if length < 0:
            self._at = begin
            return None
        if length > self._limits.string:
            raise ReplyTooLargeError("Protocol error, a string that is too long")
        stop = begin + length
        if stop - self._start > self._most_size:
            raise self._too_large()
        if len(data) < stop + 2:
            self._wanted = stop + 2 - at
            return MORE
        if data[stop : stop + 2] != _END:
            raise ReplyError("Protocol error, a string that is longer than it said")
        self._at = stop + 2
        return data[begin:stop]

    def _long_text(self, kind: int, text: bytes) -> object:
        if kind == _BLOB_ERROR:
            return self._form.error(text)
        if text[3:4] != b":":
            raise ReplyError("Protocol error, a verbatim string without a format")
        return self._form.verbatim(text[:3], text[4:])

    def _begin(self, kind: int, count: bytes, after: int) -> Any:
        length = _length(count)
        self._at = after
        if length < 0:
            return None
        if len(self._open) >= self._limits.depth:
            raise ReplyError("Protocol error, too many lists in each other")
        if kind in _IN_PAIRS:
            length *= 2
        self._items += length
        if self._items > self._most_items:
            raise ReplyTooLargeError(f"The reply has more than {self._most_items:,} items")
        if length:
            self._open.append(_Open(kind, length))
            return _BEGUN
        if kind == _ATTRIBUTE:
            return _BEGUN
        return self._made(kind, [])

    def _line(self, kind: int, text: bytes) -> object:
        """The value of a type that is one line."""
        form = self._form
        if kind == _SIMPLE:
            return form.simple(text)
        if kind == _ERROR:
            return form.error(text)
        if kind == _NULL and not text:
            return None
        if kind == _BOOLEAN and text in (b"t", b"f"):
            return text == b"t"
        if kind == _DOUBLE and _is_written(_DOUBLE_FORM, text):
            return form.double(text)
        if kind == _BIG and _is_written(_BIG_FORM, text):
            return _big(form, text)
        if kind in (_NULL, _BOOLEAN, _DOUBLE, _BIG):
            raise ReplyError(f'Protocol error, bad value of type "{chr(kind)}"')
        raise ReplyError(f'Protocol error, got "{_shown(kind)}" as reply type byte')

    def _too_large(self) -> ReplyTooLargeError:
        return ReplyTooLargeError(f"The reply has more than {self._most_size:,} bytes")


# What stands for a list whose elements follow, and for one that has them all.
_BEGUN: Any = object()
_ENDED: Any = object()


def _wrong(head: bytes, value: bytes) -> bool:
    return head != _HEADS.get(len(value))


def _pattern(text: bytes) -> re.Pattern[bytes]:
    # Few replies need any: to load what makes them takes longer than all else of a short command.
    import re

    return re.compile(text)


def _is_written(form: bytes, text: bytes) -> bool:
    return _pattern(form).fullmatch(text) is not None


def _big(form: ReplyForm, text: bytes) -> object:
    try:
        return form.big_number(text)
    except ValueError:
        # Python has a limit on digits.
        raise ReplyTooLargeError("Protocol error, a number of too many digits") from None


def _shown(kind: int) -> str:
    return chr(kind) if 32 <= kind < 127 else f"\\x{kind:02x}"


def _number(text: bytes) -> int:
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not digits.isdigit() or len(text) > _LONGEST_NUMBER:
        raise ReplyError("Protocol error, bad length or integer")
    return int(text)


def _length(text: bytes) -> int:
    """How long something is; -1 says that it is a null."""
    if text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    if text == b"-1":
        return -1
    raise ReplyError("Protocol error, bad length or integer")
