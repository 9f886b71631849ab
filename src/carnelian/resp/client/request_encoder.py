"""Requests as they are sent to a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from carnelian.resp.command_buffer import CommandBuffer

Word = bytes | str | int | float


def encode_request(words: Sequence[Word]) -> bytes:
    """The bytes of a command.

    Texts go out in UTF-8, what of them came from no UTF-8 as it was (``surrogateescape``); numbers
    as Python writes them.

    Raises:
        TypeError: a word is neither of these, nor bytes.
    """
    return encode_requests((words,))


def encode_requests(commands: Iterable[Sequence[Word]]) -> bytes:
    """The bytes of commands, one behind the other. Raises as :func:`encode_request` does."""
    buffer = CommandBuffer()
    for words in commands:
        buffer.command([word if type(word) is bytes else _encoded(word) for word in words])
    return buffer.value()


def _encoded(word: object) -> bytes:
    if isinstance(word, str):
        return word.encode("utf-8", "surrogateescape")
    if isinstance(word, bytes):
        return bytes(word)
    if isinstance(word, int | float) and not isinstance(word, bool):
        return repr(word).encode()
    raise TypeError(f"no word of a command can be made of {type(word).__name__}")
