"""Replies of a server, cut out of the bytes that come from it."""

from __future__ import annotations

# Lists in lists that a reply may have; INFO, PUBLISH and the like have none.
_DEEPEST = 8
_LONGEST_LINE = 64 * 1024
_LONGEST_BULK = 512 * 1024 * 1024

# What a reader returns when there is no whole reply yet.
MORE = object()

_TOO_LITTLE = (MORE, 0)


class ReplyError(Exception):
    """What has come is no reply."""


class Simple(bytes):
    """A simple string: ``PONG`` of ``+PONG``."""

    __slots__ = ()


class Refusal(bytes):
    """An error: ``ERR no such thing`` of ``-ERR no such thing``."""

    __slots__ = ()


class ReplyReader:
    """Takes bytes in any pieces and gives replies of RESP2.

    They are ``bytes``, ``int``, ``None``, lists of these, :class:`Simple` and :class:`Refusal`.
    Requests, which are lists of ``bytes``, can be read as well.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        # What has to be there before it is worth to look again.
        self._wanted = 0

    def feed(self, data: bytes) -> None:
        """Take in what has come."""
        self._buffer += data

    def take(self) -> object:
        """The next reply, or MORE. Raises ReplyError, and then there is no next one."""
        if len(self._buffer) < self._wanted:
            return MORE
        self._wanted = 0
        value, end = self._parse(0, 0)
        if value is not MORE:
            del self._buffer[:end]
        return value

    def _parse(self, start: int, depth: int) -> tuple[object, int]:
        """The reply at a position, and where the next one begins."""
        end = self._buffer.find(b"\r\n", start)
        if end < 0:
            if len(self._buffer) - start > _LONGEST_LINE:
                raise ReplyError("a line without an end")
            return _TOO_LITTLE
        kind, rest = self._buffer[start : start + 1], bytes(self._buffer[start + 1 : end])
        end += 2
        if kind == b"+":
            return Simple(rest), end
        if kind == b"-":
            return Refusal(rest), end
        if kind == b":":
            return _number(rest), end
        if kind == b"$":
            return self._bulk(_number(rest), end)
        if kind == b"*" and depth < _DEEPEST:
            return self._list(_number(rest), end, depth + 1)
        raise ReplyError(f"a reply begins with {bytes(kind)!r}")

    def _bulk(self, length: int, start: int) -> tuple[object, int]:
        if length < 0:
            return None, start
        if length > _LONGEST_BULK:
            raise ReplyError("a string that is too long")
        end = start + length
        if len(self._buffer) < end + 2:
            self._wanted = end + 2
            return _TOO_LITTLE
        return bytes(self._buffer[start:end]), end + 2

    def _list(self, count: int, start: int, depth: int) -> tuple[object, int]:
        if count < 0:
            return None, start
        values = []
        for _ in range(count):
            value, start = self._parse(start, depth)
            if value is MORE:
                return _TOO_LITTLE
            values.append(value)
        return values, start


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ReplyError(f"{text!r} is no number") from None
