"""Keys, a part at a time by SCAN: a large key space is never asked for at once."""

from __future__ import annotations

from typing import Any

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.console.answers.json_values import BadRequestError, text_or_bytes
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply

# Keys that a step of SCAN looks at, steps that one request takes, and keys that end it.
_STEP = 1000
_MOST_STEPS = 20
_ENOUGH = 500

TYPES = ("string", "list", "set", "zset", "hash", "stream", "array")


def list_keys(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The next keys that match ``match``, of one ``type`` if that is named.

    ``cursor`` is where the last part ended ("0" at the beginning); the ``cursor`` of the answer
    goes on, and "0" says that all has been seen. ``looked`` is about how many keys were looked at.
    """
    cursor = wanted.text("cursor", "0")
    if not cursor.isdigit():
        raise BadRequestError("cursor has to be a number.")
    command: list[bytes | str | int] = ["MATCH", wanted.data("match"), "COUNT", _STEP]
    kind = wanted.text("type", "")
    if kind:
        command += ["TYPE", kind]
    found: dict[bytes, None] = {}
    steps = 0
    with link.held(wanted.database):
        while steps < _MOST_STEPS and len(found) < _ENOUGH:
            reply = link.call("SCAN", cursor, *command)
            assert isinstance(reply, list) and isinstance(reply[1], list)
            cursor = _text(reply[0])
            found.update(dict.fromkeys(key for key in reply[1] if isinstance(key, bytes)))
            steps += 1
            if cursor == "0":
                break
        types = [kind] * len(found) if kind else _types(link, list(found))
        size = link.attempt("DBSIZE")
    keys = sorted(zip(found, types, strict=True))
    return {
        "keys": [[text_or_bytes(key), type] for key, type in keys],
        "cursor": cursor,
        "looked": steps * _STEP,
        "size": size,
    }


def list_databases(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """The databases that have keys, with how many, and how many databases there can be."""
    text = link.attempt("INFO", "keyspace")
    filled = {}
    for line in _text(text).splitlines():
        name, _, counts = line.partition(":")
        if name.startswith("db"):
            filled[name[2:]] = int(counts.partition("keys=")[2].partition(",")[0])
    try:
        reply = link.call("CONFIG", "GET", "databases", "cluster-enabled")
    except RefusedError:
        reply = None
    facts = reply if isinstance(reply, list) else []
    told = {_text(name): _text(value) for name, value in zip(facts[::2], facts[1::2], strict=True)}
    count = 1 if told.get("cluster-enabled") == "yes" else int(told.get("databases", "16"))
    return {"filled": filled, "count": count, "cluster": told.get("cluster-enabled") == "yes"}


def _types(link: RedisLink, keys: list[bytes]) -> list[str]:
    """The types of keys; "" of one that may not be looked at."""
    replies = link.pipeline([("TYPE", key) for key in keys]) if keys else []
    return ["" if isinstance(reply, Refusal) else _text(reply) for reply in replies]


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""
