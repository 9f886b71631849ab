"""Replies of commands as texts that somebody who debugs can read."""

from __future__ import annotations

from typing import Any

from carnelian.resp.numbers import format_float
from carnelian.resp.quoting import quote
from carnelian.resp.replies import Status


def reply_text(reply: Any, protocol: int) -> bytes:
    """A reply as scripts get it: plain, in the sense of ``reply_pushing``, or a failure's message.

    Args:
        protocol: of the script, 2 or 3: it says what a null looks like.
    """
    if reply is None:
        return b"(null)" if protocol == 3 else b"NULL"
    if isinstance(reply, bool):
        return b"#true" if reply else b"#false"
    if isinstance(reply, int):
        return b"%d" % reply
    if isinstance(reply, Status):
        return quote(b"+" + bytes(reply))
    if isinstance(reply, bytes):
        return quote(reply)
    if isinstance(reply, tuple):
        tag, content = reply
        return _tagged(tag, content, protocol)
    return b"[%b]" % b",".join([reply_text(each, protocol) for each in reply])


def _tagged(tag: bytes, content: Any, protocol: int) -> bytes:
    if tag == b"err":
        return quote(b"-" + content)
    if tag == b"double":
        return b"(double) " + format_float(content)
    if tag == b"verbatim_string":
        return quote(content[1])
    if tag == b"big_number":
        return bytes(content)
    texts = [reply_text(each, protocol) for each in content]
    names, values = texts[::2], texts[1::2]
    if tag == b"set":
        return b"~(%b)" % b",".join(names)
    pairs = [b"%b => %b" % pair for pair in zip(names, values, strict=True)]
    return b"{%b}" % b",".join(pairs)
