"""Replies for people at a terminal: types are told, elements numbered, lists in lists indented."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.resp.client.reply_values import (
    BigInteger,
    Double,
    Members,
    Pairs,
    Refusal,
    Simple,
    VerbatimText,
)
from carnelian.resp.quoting import quote

_EMPTY = {Pairs: b"(empty hash)\n", Members: b"(empty set)\n"}
_MARKS = {Pairs: b"#", Members: b"~"}


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
    assert isinstance(reply, int)
    return b"(integer) %d" % reply


def write(reply: object, prefix: bytes = b"", make: Callable[[object], bytes] = scalar) -> bytes:
    """The reply with the end of its line.

    ``prefix`` indents all lines of a list but the first; ``make`` writes what is no list.
    """
    if isinstance(reply, list):
        return _list(reply, prefix, make)
    return make(reply) + b"\n"


def _list(reply: list[object], prefix: bytes, make: Callable[[object], bytes]) -> bytes:
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
            lines.append(head + write(key, inner, make).removesuffix(b"\n") + b" => ")
            if _takes_lines(value):
                # What takes several lines begins on one of its own.
                lines.append(b"\n" + inner)
            lines.append(write(value, inner, make))
        else:
            lines.append(head + write(reply[index], inner, make))
    return b"".join(lines)


def _takes_lines(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    most = 2 if isinstance(value, Pairs) else 1
    return len(value) > most or _takes_lines(value[-1])
