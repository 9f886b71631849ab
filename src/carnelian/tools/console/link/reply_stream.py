"""Replies as they come from a socket, read one after the other."""

from __future__ import annotations

import socket

from carnelian.tools.console.link.link_errors import LinkError, ReplyTooLargeError

# What one reply may have, so that no command can fill the memory of the console.
MOST_BYTES = 64 * 1024 * 1024
MOST_ITEMS = 1_000_000
_DEEPEST = 32
# MONITOR tells a whole command in a line, with up to four characters for a byte.
_LONGEST_LINE = MOST_BYTES
_RECEIVE = 64 * 1024


class Status(bytes):
    """A simple string: ``OK`` of ``+OK``."""

    __slots__ = ()


class Refusal(bytes):
    """An error: ``ERR no such key`` of ``-ERR no such key``."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The error as it is shown."""
        return self.decode(errors="replace")


Reply = bytes | int | None | list["Reply"]


class ReplyStream:
    """Reads replies of RESP2 from a blocking socket.

    They are ``bytes``, ``int``, ``None``, lists of these, :class:`Status` and :class:`Refusal`.
    """

    def __init__(self, sock: socket.socket):
        self._socket = sock
        self._buffer = bytearray()
        self._at = 0
        self._bytes = self._items = 0

    @property
    def buffered(self) -> bool:
        """Whether something has come that was not read yet."""
        return self._at < len(self._buffer)

    def read(self) -> Reply:
        """The next reply. Raises LinkError, and OSError as the socket does."""
        self._bytes = self._items = 0
        reply = self._read(0)
        if self._at == len(self._buffer):
            self._buffer.clear()
            self._at = 0
        return reply

    def _read(self, depth: int) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return self._bulk(_number(rest))
        if kind == b":":
            return _number(rest)
        if kind == b"+":
            return Status(rest)
        if kind == b"-":
            return Refusal(rest)
        if kind == b"*" and depth < _DEEPEST:
            return self._list(_number(rest), depth + 1)
        raise LinkError(f"This is no Redis: a reply begins with {kind!r}.")

    def _list(self, count: int, depth: int) -> Reply:
        if count < 0:
            return None
        self._items += count
        if self._items > MOST_ITEMS:
            raise ReplyTooLargeError(f"The reply has more than {MOST_ITEMS:,} items.")
        return [self._read(depth) for _ in range(count)]

    def _bulk(self, length: int) -> bytes | None:
        if length < 0:
            return None
        self._bytes += length
        if self._bytes > MOST_BYTES:
            raise ReplyTooLargeError(f"The reply is larger than {MOST_BYTES >> 20} MB.")
        end = self._at + length
        while len(self._buffer) < end + 2:
            self._fill()
            end = self._at + length
        value = bytes(memoryview(self._buffer)[self._at : end])
        self._at = end + 2
        return value

    def _line(self) -> bytes:
        start = self._at
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            if len(self._buffer) - self._at > _LONGEST_LINE:
                raise LinkError("This is no Redis: a line has no end.")
            seen = len(self._buffer) - self._at
            self._fill()
            start = self._at + max(seen - 1, 0)
        line = bytes(memoryview(self._buffer)[self._at : end])
        self._at = end + 2
        return line

    def _fill(self) -> None:
        """Wait for more; what was read goes first, when it is worth it."""
        if self._at > _RECEIVE:
            del self._buffer[: self._at]
            self._at = 0
        data = self._socket.recv(_RECEIVE)
        if not data:
            raise LinkError("The server has closed the connection.")
        self._buffer += data


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise LinkError(f"This is no Redis: {text[:32]!r} is no number.") from None
