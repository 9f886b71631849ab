"""Taps: messages of channels and commands of all clients, as they come, within bounds.

What a browser cannot follow is counted instead of shown; and a tap ends by itself, since one that
is forgotten would cost the server for ever: MONITOR has it write every command once more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.tools.console.answers.json_values import BadRequestError, shortened
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply, ReplyStream

# Seconds that a tap is open, and what it reads, at most.
LONGEST = {"monitor": 60, "messages": 30 * 60}
MOST_READ = {"monitor": 100_000, "messages": 1_000_000}
# What is sent to the browser of each fifth of a second.
_BATCH = 0.2
_MOST_IN_BATCH = 200
_LONGEST_TEXT = 2048
_MOST_CHANNELS = 100

Lines = Iterator[dict[str, Any]]

_SUBSCRIBE = {"channels": "SUBSCRIBE", "patterns": "PSUBSCRIBE", "shards": "SSUBSCRIBE"}


def open_tap(link: RedisLink, wanted: Parameters) -> Lines:
    """Begin a tap of a ``kind`` (``messages`` with ``channels``, ``patterns`` and ``shards``, or
    ``monitor``) on a link of its own.

    Gives batches ``{"items": [...], "skipped": n}``, empty ones when nothing comes, and ``end``
    with the reason as the last one. Raises RefusedError, LinkError and LoginRefusedError.
    """
    kind = wanted.choice("kind", "messages", "monitor")
    seconds = wanted.number("seconds", LONGEST[kind], 1, LONGEST[kind])
    if kind == "monitor":
        stream = link.stream("MONITOR")
        _check(stream.read())
        return _batches(link, stream, _monitored, seconds, MOST_READ[kind])
    return _batches(link, _subscribed(link, wanted), _message, seconds, MOST_READ[kind])


def _subscribed(link: RedisLink, wanted: Parameters) -> ReplyStream:
    chosen = {name: wanted.byte_items(name, _MOST_CHANNELS) for name in _SUBSCRIBE}
    if not any(chosen.values()):
        raise BadRequestError("Name a channel or a pattern.")
    stream = None
    for name, names in chosen.items():
        if names:
            stream = link.stream(_SUBSCRIBE[name], *names)
            for _ in names:
                _check(stream.read())
    assert stream is not None
    return stream


def _check(reply: Reply) -> None:
    if isinstance(reply, Refusal):
        raise RefusedError(reply.text)


def _batches(link: RedisLink, stream: ReplyStream, show: Any, seconds: float, most: int) -> Lines:
    end = time.monotonic() + seconds
    read = 0
    try:
        while True:
            batch: list[dict[str, Any]] = []
            skipped = 0
            until = min(time.monotonic() + _BATCH, end)
            while read < most and (left := until - time.monotonic()) > 0:
                if not link.waits(left):
                    break
                item = show(stream.read())
                read += 1
                if item is None:
                    continue
                if len(batch) < _MOST_IN_BATCH:
                    batch.append(item)
                else:
                    skipped += 1
            yield {"items": batch, "skipped": skipped}
            if read >= most:
                yield {"end": f"{most:,} have come: the tap was closed to spare the server."}
                return
            if time.monotonic() >= end:
                yield {"end": f"The tap was open for {seconds} seconds, and was closed."}
                return
    finally:
        link.close()


def _message(reply: Reply) -> dict[str, Any] | None:
    words = [word for word in reply if isinstance(word, bytes)] if isinstance(reply, list) else []
    if len(words) < 3 or words[0] not in (b"message", b"pmessage", b"smessage"):
        return None
    return {
        "time": round(time.time(), 3),
        "pattern": shortened(words[1], _LONGEST_TEXT) if words[0] == b"pmessage" else None,
        "channel": shortened(words[-2], _LONGEST_TEXT),
        "message": shortened(words[-1], _LONGEST_TEXT),
    }


def _monitored(reply: Reply) -> dict[str, Any] | None:
    """``1700000000.123456 [0 127.0.0.1:1234] "GET" "key"``, taken apart."""
    if not isinstance(reply, Simple):
        return None
    when, _, rest = reply.partition(b" ")
    source, found, command = rest.partition(b"] ")
    database, _, address = source.lstrip(b"[").partition(b" ")
    if not found:
        return {"time": time.time(), "command": shortened(bytes(reply), _LONGEST_TEXT)}
    return {
        "time": float(when),
        "db": database.decode(errors="replace"),
        "client": address.decode(errors="replace"),
        "command": shortened(command, _LONGEST_TEXT),
    }
