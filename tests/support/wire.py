"""Replies as they are on the wire, read without interpretation, to compare servers by."""

from __future__ import annotations

import io
import socket
from typing import Any, BinaryIO, NamedTuple

AGGREGATES = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
BULKS = (b"$", b"=", b"!")


# A word of a command, as tests write it.
Word = bytes | str | int


class Reply(NamedTuple):
    """One reply: the byte that gives its type, and what comes with it (None for a null)."""

    kind: bytes
    value: Any

    def __repr__(self) -> str:
        return f"{self.kind.decode()}{self.value!r}"

    @property
    def items(self) -> list[Reply]:
        """The parts of an aggregate."""
        assert isinstance(self.value, list), f"{self!r} has no parts"
        return self.value

    @property
    def text(self) -> bytes:
        """What is not an aggregate, a number or a null."""
        assert isinstance(self.value, bytes), f"{self!r} is no text"
        return self.value


def read(stream: BinaryIO) -> Reply:
    """The next reply of a stream; raises EOFError if it ends before."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise EOFError(f"the stream ends within a reply: {line!r}")
    kind, rest = line[:1], line[1:-2]
    if kind in BULKS and rest != b"-1":
        return Reply(kind, stream.read(int(rest) + 2)[:-2])
    if kind in AGGREGATES and rest != b"-1":
        return Reply(kind, [read(stream) for _ in range(int(rest) * AGGREGATES[kind])])
    if kind == b":":
        return Reply(kind, int(rest))
    return Reply(kind, None if rest == b"-1" and kind in b"$*" else rest)


def parse(raw: bytes) -> Reply:
    """The one reply in ``raw``."""
    stream = io.BytesIO(raw)
    reply = read(stream)
    assert not stream.read(), "more than one reply"
    return reply


def request(*words: object) -> bytes:
    """A command as clients send it: numbers and whatever else as text."""
    texts = [as_bytes(word) for word in words]
    parts = [b"*%d\r\n" % len(texts)]
    parts += [b"$%d\r\n%s\r\n" % (len(text), text) for text in texts]
    return b"".join(parts)


def as_bytes(word: object) -> bytes:
    """A word of a command."""
    return word if isinstance(word, bytes) else str(word).encode()


class WireClient:
    """A connection that sends commands and reads replies as they are."""

    def __init__(self, port: int, host: str = "127.0.0.1"):
        self._socket = socket.create_connection((host, port), timeout=10)
        self._stream = self._socket.makefile("rb")

    def call(self, *words: Word) -> Reply:
        """The reply to a command."""
        self._socket.sendall(request(*words))
        return read(self._stream)

    def send(self, *words: Word) -> None:
        """Send a command and wait for no reply."""
        self._socket.sendall(request(*words))

    def read(self) -> Reply:
        """A further reply, such as a message."""
        return read(self._stream)

    def close(self) -> None:
        """Leave."""
        self._stream.close()
        self._socket.close()
