"""Replies as a line of comma-separated values, all levels of lists in one."""

from __future__ import annotations

from carnelian.resp.client.reply_values import BigInteger, Double, Refusal
from carnelian.resp.quoting import quote


def write(reply: object) -> bytes:
    """The reply, without an end of line."""
    if isinstance(reply, Refusal):
        return b"ERROR," + quote(reply)
    if isinstance(reply, Double | BigInteger):
        return bytes(reply)
    if isinstance(reply, bytes):
        return quote(reply)
    if reply is None:
        return b"NULL"
    if isinstance(reply, bool):
        return b"true" if reply else b"false"
    if isinstance(reply, int):
        return b"%d" % reply
    assert isinstance(reply, list)
    return b",".join(map(write, reply))
