"""Bytes and replies in JSON, which knows texts only.

Bytes that are UTF-8 are texts; others are ``{"b64": ...}``. Whole numbers that a browser would
round are ``{"int": "..."}``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.tools.console.link.reply_stream import Reply

# The largest whole number that JavaScript knows exactly.
_EXACT = 2**53

# What of a reply is shown in the command line.
MOST_SHOWN_ITEMS = 5_000
MOST_SHOWN_BYTES = 256 * 1024


class BadRequestError(Exception):
    """What a page has asked makes no sense; the text says why."""


def text_or_bytes(value: bytes) -> Any:
    """Bytes for JSON."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}


def shortened(value: bytes, most: int) -> dict[str, Any]:
    """Bytes for JSON, no more than ``most`` of them, with how many there are in all."""
    if len(value) <= most:
        return {"value": text_or_bytes(value), "size": len(value)}
    head = value[:most]
    # A character that was cut in two would make bytes of a text.
    for end in range(most, most - 4, -1):
        try:
            return {"value": value[:end].decode(), "size": len(value), "cut": True}
        except UnicodeDecodeError:
            continue
    return {"value": text_or_bytes(head), "size": len(value), "cut": True}


def to_bytes(value: Any, name: str) -> bytes:
    """The bytes that JSON gives for a parameter. Raises BadRequestError."""
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{name} is no text.") from None
    if isinstance(value, dict) and isinstance(value.get("b64"), str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError):
            raise BadRequestError(f"{name} is no base64.") from None
    raise BadRequestError(f"{name} has to be a text, or bytes as base64.")


def whole(value: int) -> Any:
    """A whole number for JSON."""
    return value if -_EXACT <= value <= _EXACT else {"int": str(value)}


class ReplyView:
    """Makes JSON of a reply, with a limit on how much of it; ``cut`` is whether it was reached."""

    def __init__(self, items: int = MOST_SHOWN_ITEMS, size: int = MOST_SHOWN_BYTES):
        self._items = items
        self._size = size
        self.cut = False

    def show(self, reply: Reply) -> Any:
        """The JSON of a reply."""
        if isinstance(reply, Refusal):
            return {"error": reply.text}
        if isinstance(reply, Simple):
            return {"status": reply.decode(errors="replace")}
        if isinstance(reply, bytes):
            return self._bytes(reply)
        if isinstance(reply, int):
            return whole(reply)
        if isinstance(reply, list):
            return self._list(reply)
        return None

    def _bytes(self, value: bytes) -> Any:
        if len(value) > self._size:
            self.cut = True
            value = value[: self._size]
        self._size -= len(value)
        return text_or_bytes(value)

    def _list(self, values: list[Reply]) -> list[Any]:
        shown = []
        for value in values:
            if self._items <= 0 or self._size <= 0:
                self.cut = True
                break
            self._items -= 1
            shown.append(self.show(value))
        return shown
