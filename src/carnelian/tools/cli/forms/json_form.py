"""Replies as JSON on one line."""

from __future__ import annotations

from carnelian.resp.client.reply_values import BigInteger, Double, Pairs, Refusal
from carnelian.resp.quoting import quote

_NAMED = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
_ESCAPES = {byte: _NAMED.get(byte, b"\\u%04x" % byte) for byte in (*range(32), 34, 92)}
_TO_ESCAPE = bytes(_ESCAPES)


def write(reply: object, quoted: bool) -> bytes:
    """The reply, without an end of line.

    Bytes of strings go out as they are, which is JSON if they are UTF-8; with ``quoted`` all that
    is not printable ASCII is written as escapes of redis-cli, within the string.
    """
    if isinstance(reply, Refusal):
        return b"error:" + _string(reply, quoted)
    if isinstance(reply, Double | BigInteger):
        return bytes(reply)
    if isinstance(reply, bytes):
        return _string(reply, quoted)
    if reply is None:
        return b"null"
    if isinstance(reply, bool):
        return b"true" if reply else b"false"
    if isinstance(reply, int):
        return b"%d" % reply
    assert isinstance(reply, list)
    if isinstance(reply, Pairs):
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return b"{%b}" % b",".join(
            b"%b:%b" % (_key(key, quoted), write(value, quoted)) for key, value in pairs
        )
    return b"[%b]" % b",".join([write(each, quoted) for each in reply])


def _key(key: object, quoted: bool) -> bytes:
    """A key of an object, which has to be a string."""
    if isinstance(key, bytes) and not isinstance(key, Double | BigInteger):
        return write(key, quoted)
    return b'"%b"' % write(key, quoted)


def _string(text: bytes, quoted: bool) -> bytes:
    if quoted:
        return b'"%b"' % quote(text)[1:-1].replace(b"\\", b"\\\\")
    if not any(byte in _TO_ESCAPE for byte in text):
        return b'"%b"' % text
    return b'"%b"' % b"".join([_ESCAPES.get(byte) or bytes((byte,)) for byte in text])
