"""What is sent to the debugger: commands in the form of requests, each once it is complete."""

from __future__ import annotations

import re

# Bytes that wait for the rest of a command, words of one, and bytes of a word, at most.
MOST_WAITING = 1 << 20
MOST_WORDS = MOST_SIZE = 1024

_COUNT = re.compile(rb"\*(\d{1,10})\r\n")
_SIZE = re.compile(rb"\$(\d{1,10})\r\n")
_HEADER = re.compile(rb"[*$]\d{0,10}\r?")


class RequestError(Exception):
    """What was sent is no command, nor the beginning of one."""


class Requests:
    """Gathers what comes in pieces. One command is answered before the next one is sent: what
    follows a complete one is dropped.
    """

    def __init__(self) -> None:
        self._waiting = b""

    def take(self, piece: bytes) -> list[bytes] | None:
        """The words of the command that is complete with this piece; None if none is.

        Raises RequestError.
        """
        self._waiting += piece
        if len(self._waiting) > MOST_WAITING:
            self._waiting = b""
            raise RequestError("max client buffer reached")
        words = self._parse(self._waiting)
        if words is not None:
            self._waiting = b""
        return words

    def _parse(self, text: bytes) -> list[bytes] | None:
        count, at = _header(_COUNT, text, 0, MOST_WORDS)
        words: list[bytes] = []
        while at and len(words) < count:
            size, at = _header(_SIZE, text, at, MOST_SIZE)
            end = at + size
            if not at or len(text) < end + 2:
                return None
            if text[end : end + 2] != b"\r\n":
                raise RequestError("protocol error")
            words.append(text[at:end])
            at = end + 2
        return words if at else None


def _header(form: re.Pattern[bytes], text: bytes, at: int, most: int) -> tuple[int, int]:
    """The number in a header, and where that ends: at 0 if it is not complete."""
    found = form.match(text, at)
    if found is None:
        if at == len(text) or _HEADER.fullmatch(text, at):
            return 0, 0
        raise RequestError("protocol error")
    number = int(found[1])
    if not 0 < number <= most:
        raise RequestError("protocol error")
    return number, found.end()
