"""The value of a key as a page shows it: what it is, and a part of what it has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.console.answers.json_values import (
    BadRequestError,
    ReplyView,
    shortened,
    text_or_bytes,
    whole,
)
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply

PAGE = 100
# Bytes of a text that are shown at once, those that can be shown and edited at all, and those of
# an element among others.
TEXT_SHOWN = 64 * 1024
TEXT_WHOLE = 1024 * 1024
ELEMENT_SHOWN = 4 * 1024
# Texts whose bits are counted.
_BITS_COUNTED = 1024 * 1024
_LARGEST_INDEX = 2**63 - 1
_LARGEST_ARRAY_INDEX = 2**64 - 2

_MOST_GROUPS = 20
_MOST_CONSUMERS = 100

_HYPERLOGLOG = b"HYLL"


def version_of(value: bytes) -> str:
    """A mark of a value, by which an edit tells which value it was made from."""
    return hashlib.blake2b(value, digest_size=12).hexdigest()


def read_value(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """What ``key`` is (type, time to live, encoding, memory), and a part of its value.

    Collections have ``cursor``, from where the next part goes on (null at the end), and take
    ``match``, where the server can look for it, and ``reverse``.
    """
    key = wanted.data("key")
    with link.held(wanted.database):
        told = link.pipeline(
            [
                ("TYPE", key),
                ("PTTL", key),
                ("OBJECT", "ENCODING", key),
                ("OBJECT", "IDLETIME", key),
                ("MEMORY", "USAGE", key),
            ]
        )
        if isinstance(told[0], Refusal):
            raise RefusedError(told[0].text)
        kind = _text(told[0])
        if kind == "none":
            return {"type": "none"}
        view: dict[str, Any] = {
            "type": kind,
            "ttl": _number_or_none(told[1]),
            "encoding": None if isinstance(told[2], Refusal) else _text(told[2]),
            "idle": _number_or_none(told[3]),
            "memory": _number_or_none(told[4]),
        }
        reader = READERS.get(kind)
        if reader is not None:
            view.update(reader(link, key, wanted))
        return view


def _string(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("STRLEN", key))
    most = TEXT_WHOLE if wanted.flag("whole") else TEXT_SHOWN
    value = _bytes(link.call("GETRANGE", key, 0, most - 1))
    view: dict[str, Any] = {"value": text_or_bytes(value), "size": size, "cut": size > len(value)}
    if view["cut"]:
        view.update(shortened(value, most - 4), size=size)
    else:
        view["version"] = version_of(value)
    view["editable"] = size <= TEXT_WHOLE
    if value.startswith(_HYPERLOGLOG):
        view["distinct"] = link.attempt("PFCOUNT", key)
    elif size <= _BITS_COUNTED:
        view["bits"] = link.attempt("BITCOUNT", key)
    return view


def _hash(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("HLEN", key))
    pairs, cursor = _scan(link, "HSCAN", key, wanted)
    fields = pairs[::2]
    ttls = _field_ttls(link, key, fields)
    items = [
        {
            "field": text_or_bytes(field),
            **_element(value),
            "ttl": ttl,
            "version": version_of(value),
        }
        for field, value, ttl in zip(fields, pairs[1::2], ttls, strict=True)
    ]
    return {"size": size, "items": items, "cursor": cursor}


def _field_ttls(link: RedisLink, key: bytes, fields: Sequence[bytes]) -> list[int | None]:
    """Milliseconds that fields have left, -1 for no end; None where the server does not know."""
    if not fields:
        return []
    reply = link.attempt("HPTTL", key, "FIELDS", len(fields), *fields)
    if not isinstance(reply, list):
        return [None] * len(fields)
    return [_number_or_none(ttl) for ttl in reply]


def _list(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("LLEN", key))
    start = _position(wanted)
    if wanted.flag("reverse"):
        last = size - 1 - start
        values = (
            _values(link.call("LRANGE", key, max(last - PAGE + 1, 0), last)) if last >= 0 else []
        )
        indexes = range(last, last - len(values), -1)
        values.reverse()
    else:
        values = _values(link.call("LRANGE", key, start, start + PAGE - 1))
        indexes = range(start, start + len(values))
    items = [
        {"index": index, **_element(value), "version": version_of(value)}
        for index, value in zip(indexes, values, strict=True)
    ]
    return {"size": size, "items": items, "cursor": _next(start, len(items), size)}


def _set(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("SCARD", key))
    members, cursor = _scan(link, "SSCAN", key, wanted)
    return {"size": size, "items": [_element(member) for member in members], "cursor": cursor}


def _sorted_set(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("ZCARD", key))
    if wanted.has("match"):
        pairs, cursor = _scan(link, "ZSCAN", key, wanted)
    else:
        start = _position(wanted)
        command = "ZREVRANGE" if wanted.flag("reverse") else "ZRANGE"
        pairs = _values(link.call(command, key, start, start + PAGE - 1, "WITHSCORES"))
        cursor = _next(start, len(pairs) // 2, size)
    items = [
        {**_element(member), "score": score.decode()}
        for member, score in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    return {"size": size, "items": items, "cursor": cursor}


def _stream(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    size = _int(link.call("XLEN", key))
    newest_first = not wanted.flag("reverse")
    bound = wanted.text("cursor", "")
    if newest_first:
        reply = link.call("XREVRANGE", key, f"({bound}" if bound else "+", "-", "COUNT", PAGE)
    else:
        reply = link.call("XRANGE", key, f"({bound}" if bound else "-", "+", "COUNT", PAGE)
    items = []
    for entry in reply if isinstance(reply, list) else []:
        assert isinstance(entry, list)
        words = _values(entry[1])
        fields = [
            [shortened(name, ELEMENT_SHOWN), shortened(value, ELEMENT_SHOWN)]
            for name, value in zip(words[::2], words[1::2], strict=True)
        ]
        items.append({"id": _text(entry[0]), "fields": fields})
    cursor = items[-1]["id"] if len(items) == PAGE else None
    return {"size": size, "items": items, "cursor": cursor, **_stream_facts(link, key)}


def _stream_facts(link: RedisLink, key: bytes) -> dict[str, Any]:
    facts = _facts(link.attempt("XINFO", "STREAM", key))
    reply = link.attempt("XINFO", "GROUPS", key)
    groups = []
    for raw in reply[:_MOST_GROUPS] if isinstance(reply, list) else []:
        group = _facts(raw)
        consumers = link.attempt("XINFO", "CONSUMERS", key, _name_of(raw))
        told = consumers[:_MOST_CONSUMERS] if isinstance(consumers, list) else []
        groups.append({**group, "members": [_facts(consumer) for consumer in told]})
    return {"last_id": facts.get("last-generated-id"), "groups": groups}


def _array(link: RedisLink, key: bytes, wanted: Parameters) -> dict[str, Any]:
    count = _int(link.call("ARCOUNT", key))
    start = wanted.text("cursor", "0")
    if not start.isdigit():
        raise BadRequestError("cursor has to be a number.")
    reply = link.call("ARSCAN", key, start, _LARGEST_ARRAY_INDEX, "LIMIT", PAGE)
    items = [
        {"index": str(index), **_element(value), "version": version_of(value)}
        for index, value in _indexed(reply)
    ]
    cursor = str(int(items[-1]["index"]) + 1) if len(items) == PAGE else None
    length = whole(_int(link.call("ARLEN", key)))
    return {"size": count, "length": length, "items": items, "cursor": cursor}


def _indexed(reply: Reply) -> list[tuple[int, bytes]]:
    """Pairs of index and element, however they are nested."""
    pairs = reply if isinstance(reply, list) else []
    if pairs and isinstance(pairs[0], list):
        pairs = [word for pair in pairs if isinstance(pair, list) for word in pair]
    return [
        (int(index) if isinstance(index, (int, bytes)) else 0, _bytes(value))
        for index, value in zip(pairs[::2], pairs[1::2], strict=True)
    ]


READERS: dict[str, Callable[[RedisLink, bytes, Parameters], dict[str, Any]]] = {
    "string": _string,
    "hash": _hash,
    "list": _list,
    "set": _set,
    "zset": _sorted_set,
    "stream": _stream,
    "array": _array,
}


def read_element(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """One element as a whole: of a hash (``field``), a list or an array (``index``)."""
    key = wanted.data("key")
    kind = wanted.choice("type", "hash", "list", "array")
    with link.held(wanted.database):
        if kind == "hash":
            reply = link.call("HGET", key, wanted.data("field"))
        else:
            command = "LINDEX" if kind == "list" else "ARGET"
            reply = link.call(command, key, index_of(wanted))
    if not isinstance(reply, bytes):
        return {"value": None}
    if len(reply) > TEXT_WHOLE:
        raise BadRequestError(f"The element has {len(reply):,} bytes: too many for a page.")
    return {"value": text_or_bytes(reply), "size": len(reply), "version": version_of(reply)}


def index_of(wanted: Parameters) -> str:
    """``index``, which may be larger than the numbers of a browser, and is a text therefore."""
    index = wanted.text("index")
    if not _is_number(index) or int(index) > _LARGEST_ARRAY_INDEX:
        raise BadRequestError("index has to be a number from 0 on.")
    return index


def _scan(
    link: RedisLink, command: str, key: bytes, wanted: Parameters
) -> tuple[list[bytes], str | None]:
    """The next words of a collection, and from where to go on, None if there are no more."""
    cursor = wanted.text("cursor", "0")
    if not cursor.isdigit():
        raise BadRequestError("cursor has to be a number.")
    match = wanted.data("match") if wanted.has("match") else b"*"
    words: list[bytes] = []
    # A part may have nothing that matches; some more are tried before the page is asked again.
    for _ in range(10):
        reply = link.call(command, key, cursor, "MATCH", match, "COUNT", PAGE)
        assert isinstance(reply, list)
        cursor = _text(reply[0])
        words += _values(reply[1])
        if words or cursor == "0":
            break
    return words, None if cursor == "0" else cursor


def _position(wanted: Parameters) -> int:
    cursor = wanted.text("cursor", "0")
    if not _is_number(cursor) or int(cursor) > _LARGEST_INDEX:
        raise BadRequestError("cursor has to be a number.")
    return int(cursor)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _next(start: int, count: int, size: int) -> str | None:
    return str(start + count) if count and start + count < size else None


def _element(value: bytes) -> dict[str, Any]:
    return shortened(value, ELEMENT_SHOWN)


def _facts(reply: Reply) -> dict[str, Any]:
    words = reply if isinstance(reply, list) else []
    return {
        _text(name): ReplyView().show(value)
        for name, value in zip(words[::2], words[1::2], strict=False)
        if not isinstance(value, list)
    }


def _name_of(group: Reply) -> bytes:
    words = group if isinstance(group, list) else []
    for name, value in zip(words[::2], words[1::2], strict=False):
        if name == b"name":
            return _bytes(value)
    return b""


def _values(reply: Reply) -> list[bytes]:
    return [_bytes(value) for value in reply] if isinstance(reply, list) else []


def _bytes(reply: Reply) -> bytes:
    return reply if isinstance(reply, bytes) else b"" if reply is None else str(reply).encode()


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""


def _int(reply: Reply) -> int:
    return reply if isinstance(reply, int) else 0


def _number_or_none(reply: Reply) -> int | None:
    return reply if isinstance(reply, int) else None
