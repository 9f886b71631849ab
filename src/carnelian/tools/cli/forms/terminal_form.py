"""Replies for people at a terminal: types are told, elements numbered, lists in lists indented."""

from __future__ import annotations

from carnelian.resp.quoting import quote
from carnelian.tools.cli.wire.reply_types import (
    BigInteger,
    Double,
    Members,
    Pairs,
    Refusal,
    Simple,
    VerbatimText,
)

_EMPTY = {Pairs: b"(empty hash)\n", Members: b"(empty set)\n"}
_MARKS = {Pairs: b"#", Members: b"~"}


def write(reply: object, prefix: bytes = b"") -> bytes:
    """The reply with the end of its line; ``prefix`` indents all lines of a list but the first."""
    if isinstance(reply, list):
        return _list(reply, prefix)
    return scalar(reply) + b"\n"


def scalar(reply: object) -> bytes:
    """What is no list."""
    if isinstance(reply, Refusal):
        return b"(error) " + reply
    if isinstance(reply, Simple | VerbatimText):
        return bytes(reply)
    if isinstance(reply, Double):
        return b"(double) " + reply
    if isinstance(reply, BigInteger):
        return b"(big number) " + reply
    if isinstance(reply, bytes):
        return quote(reply)
    if reply is None:
        return b"(nil)"
    if isinstance(reply, bool):
        return b"(true)" if reply else b"(false)"
    return b"(integer) %d" % reply


def _list(reply: list[object], prefix: bytes) -> bytes:
    kind = type(reply)
    if not reply:
        return _EMPTY.get(kind, b"(empty array)\n")
    mark = _MARKS.get(kind, b")")
    pairs = kind is Pairs
    count = len(reply) // 2 if pairs else len(reply)
    width = len(str(count))
    inner = prefix + b" " * (width + 2)
    lines = []
    for index in range(count):
        head = b"%b%*d%b " % (prefix if index else b"", width, index + 1, mark)
        if pairs:
            key, value = reply[2 * index], reply[2 * index + 1]
            lines.append(head + write(key, inner).removesuffix(b"\n") + b" => ")
            lines.append(_value(value, inner))
        else:
            lines.append(head + write(reply[index], inner))
    return b"".join(lines)


def _value(value: object, inner: bytes) -> bytes:
    """A value behind its key: what takes several lines begins on one of its own."""
    if _takes_lines(value):
        return b"\n" + inner + write(value, inner)
    return write(value, inner)


def _takes_lines(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    most = 2 if isinstance(value, Pairs) else 1
    return len(value) > most or _takes_lines(value[-1])
