"""A small blocking RESP2 client, and loading of keys by pipelines, on plain sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

Argument = bytes | str | int


class ReplyError(Exception):
    """An error reply of the server."""


def encode(*arguments: Argument) -> bytes:
    """One request as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Client:
    """One connection; ``client("SET", "k", "v")`` sends a request and returns its reply."""

    def __init__(self, port: int, timeout: float = 60.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self.socket.makefile("rb")

    def __call__(self, *arguments: Argument) -> Any:
        self.socket.sendall(encode(*arguments))
        reply = self.read()
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def read(self) -> Any:
        """The next reply; error replies are returned, not raised."""
        line = self._input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("connection closed by the server")
        kind, text = line[:1], line[1:-2]
        match kind:
            case b"+":
                return text
            case b"-":
                return ReplyError(text.decode())
            case b":":
                return int(text)
            case b"$":
                return None if text == b"-1" else self._input.read(int(text) + 2)[:-2]
            case b"*":
                return None if text == b"-1" else [self.read() for _ in range(int(text))]
        raise ValueError(f"unexpected reply {line!r}")

    def info(self, section: str = "everything") -> dict[str, str]:
        """The fields of INFO."""
        text: str = self("INFO", section).decode()
        pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        return dict(pairs)

    def close(self) -> None:
        self._input.close()
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def send_pipelines(port: int, pipelines: Iterable[tuple[bytes, int]]) -> None:
    """Sends pipelines of requests that are all answered with +OK, each after the one before.

    ``pipelines`` yields the bytes of a pipeline and its number of requests. Raises ReplyError on
    any other answer.
    """
    with Client(port) as client:
        for data, requests in pipelines:
            client.socket.sendall(data)
            wanted = requests * len(b"+OK\r\n")
            replies = bytearray()
            while len(replies) < wanted:
                received = client.socket.recv(wanted - len(replies))
                if not received:
                    raise ConnectionError("connection closed by the server")
                replies += received
                if b"-" in received:
                    raise ReplyError(bytes(replies).partition(b"-")[2].decode())


def send_all(port: int, requests: Iterable[bytes], length: int = 50) -> None:
    """Sends requests by pipelines of ``length``; raises ReplyError when one of them fails."""
    with Client(port) as client:
        for pipeline in batched(requests, length):
            client.socket.sendall(b"".join(pipeline))
            for _ in pipeline:
                reply = client.read()
                if isinstance(reply, ReplyError):
                    raise reply


def batched(items: Iterable[bytes], length: int) -> Iterator[list[bytes]]:
    """Lists of up to ``length`` items."""
    source = iter(items)
    while batch := list(islice(source, length)):
        yield batch


def pipelines_of(
    first: int, last: int, request: Callable[[int], bytes], length: int = 500
) -> Iterable[tuple[bytes, int]]:
    """Pipelines of ``request(number)`` for the numbers from first up to last (excluded)."""
    for start in range(first, last, length):
        end = min(start + length, last)
        yield b"".join([request(number) for number in range(start, end)]), end - start
