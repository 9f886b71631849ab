"""Replies without anything around them, for programs."""

from __future__ import annotations

from carnelian.resp.client.reply_values import Pairs, Refusal


def write(reply: object, between: bytes) -> bytes:
    """The reply; ``between`` stands between the elements of a list."""
    if isinstance(reply, Refusal):
        return reply + b"\n"
    if isinstance(reply, bytes):
        return reply
    if reply is None:
        return b""
    if isinstance(reply, bool):
        return b"(true)" if reply else b"(false)"
    if isinstance(reply, int):
        return b"%d" % reply
    assert isinstance(reply, list)
    parts = [write(each, between) for each in reply]
    if isinstance(reply, Pairs):
        parts = [b"%b %b" % pair for pair in zip(parts[::2], parts[1::2], strict=True)]
    return between.join(parts)
