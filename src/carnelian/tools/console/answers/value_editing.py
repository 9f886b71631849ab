"""Changes of a value, made only if it still is what the page has shown."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.console.answers.json_values import BadRequestError, text_or_bytes
from carnelian.tools.console.answers.parameters import Parameters
from carnelian.tools.console.answers.value_reading import index_of, version_of
from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.owner_links import NodeLinks
from carnelian.tools.console.link.redis_link import Command, RedisLink
from carnelian.tools.console.link.reply_stream import Reply

_MOST_WORDS = 1000
_LONGEST_TTL = 2**53


class ChangedError(Exception):
    """What the page has shown is not what is there now; the text says so."""


def edit_value(link: RedisLink, wanted: Parameters) -> dict[str, Any]:
    """Do what ``action`` names to ``key``; ``done`` of the answer is the server's reply.

    Raises ChangedError if somebody else was faster, RefusedError with the server's error.
    """
    action = ACTIONS.get(wanted.text("action"))
    if action is None:
        raise BadRequestError("There is no such action.")
    with link.held(wanted.database):
        done = action(link, wanted.data("key"), wanted)
    return {"done": done if isinstance(done, (int, str)) else None}


def delete_keys(link: RedisLink, wanted: Parameters, nodes: NodeLinks) -> dict[str, Any]:
    """Delete ``keys``, of other nodes of a cluster as well; ``done`` is how many there were.

    Raises RefusedError with the server's error.
    """
    keys = wanted.byte_items("keys", _MOST_WORDS)
    if not keys:
        raise BadRequestError("keys has to have some.")
    with link.held(wanted.database):
        # One by one: they may be in different slots.
        replies = link.pipeline([("UNLINK", key) for key in keys])
        done = sum(reply for reply in replies if isinstance(reply, int))
        for key, reply in zip(keys, replies, strict=True):
            if isinstance(reply, Refusal):
                gone = nodes.answer(link, partial(_delete, key=key, wanted=wanted))
                done += gone if isinstance(gone, int) else 0
    return {"done": done}


# -- Keys ------------------------------------------------------------------------------------------


def _delete(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("UNLINK", key)


def _rename(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    name = wanted.data("name")
    if wanted.flag("overwrite"):
        return link.call("RENAME", key, name)
    if link.call("RENAMENX", key, name) == 0:
        raise ChangedError("There is a key of that name.")
    return 1


def _copy(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    if link.call("COPY", key, wanted.data("name")) == 0:
        raise ChangedError("There is a key of that name.")
    return 1


def _expire(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    if not wanted.has("ttl"):
        return link.call("PERSIST", key)
    if link.call("PEXPIRE", key, wanted.number("ttl", None, 1, _LONGEST_TTL)) == 0:
        raise ChangedError("The key is gone.")
    return 1


def _create(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    """A key with its first element, if there is none of that name."""
    kind = wanted.choice("type", *_FIRST)
    command = _FIRST[kind](key, wanted)
    commands = [command]
    if wanted.has("ttl"):
        commands.append(("PEXPIRE", key, wanted.number("ttl", None, 1, _LONGEST_TTL)))
    if link.call("WATCH", key) and link.call("EXISTS", key):
        link.call("UNWATCH")
        raise ChangedError("There is a key of that name.")
    return _transaction(link, commands)


_FIRST: dict[str, Callable[[bytes, Parameters], Command]] = {
    "string": lambda key, wanted: ("SET", key, wanted.data("value")),
    "hash": lambda key, wanted: ("HSET", key, wanted.data("field"), wanted.data("value")),
    "list": lambda key, wanted: ("RPUSH", key, wanted.data("value")),
    "set": lambda key, wanted: ("SADD", key, wanted.data("value")),
    "zset": lambda key, wanted: ("ZADD", key, wanted.text("score"), wanted.data("value")),
    "stream": lambda key, wanted: ("XADD", key, wanted.text("id", "*"), *_pairs(wanted)),
    "array": lambda key, wanted: ("ARSET", key, index_of(wanted), wanted.data("value")),
}


# -- Values ----------------------------------------------------------------------------------------


def _set_string(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    _watch(link, key, ("GET", key), wanted)
    return _transaction(link, [("SET", key, wanted.data("value"), "KEEPTTL")])


def _set_bit(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call(
        "SETBIT", key, wanted.number("offset", None, 0, 2**32 - 1), int(wanted.flag("bit"))
    )


def _set_field(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    """A field with its value; in place of the field ``old``, if that is named."""
    field, value = wanted.data("field"), wanted.data("value")
    if not wanted.has("version"):
        if link.call("HSETNX", key, field, value) == 0:
            raise ChangedError("There is such a field.")
        return 1
    old = wanted.data("old") if wanted.has("old") else field
    _watch(link, key, ("HGET", key, old), wanted)
    if old != field and link.call("HEXISTS", key, field):
        link.call("UNWATCH")
        raise ChangedError("There is such a field.")
    kept = link.attempt("HPTTL", key, "FIELDS", 1, old)
    ttl = kept[0] if isinstance(kept, list) and isinstance(kept[0], int) else -1
    commands: list[Command] = [("HSET", key, field, value)]
    if old != field:
        # Afterwards: a hash without fields would be gone, with its time to live.
        commands.append(("HDEL", key, old))
    if ttl > 0:
        # HSET takes the time to live away.
        commands.append(("HPEXPIRE", key, ttl, "FIELDS", 1, field))
    return _transaction(link, commands)


def _delete_field(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("HDEL", key, wanted.data("field"))


def _expire_field(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    field = wanted.data("field")
    if not wanted.has("ttl"):
        return link.call("HPERSIST", key, "FIELDS", 1, field)
    ttl = wanted.number("ttl", None, 1, _LONGEST_TTL)
    reply = link.call("HPEXPIRE", key, ttl, "FIELDS", 1, field)
    if not isinstance(reply, list) or reply[0] != 1:
        raise ChangedError("The field is gone.")
    return 1


def _set_item(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    index = index_of(wanted)
    _watch(link, key, ("LINDEX", key, index), wanted)
    return _transaction(link, [("LSET", key, index, wanted.data("value"))])


def _push(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    end = wanted.choice("end", "right", "left")
    return link.call("RPUSH" if end == "right" else "LPUSH", key, wanted.data("value"))


def _delete_item(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    index = index_of(wanted)
    _watch(link, key, ("LINDEX", key, index), wanted)
    # There is no command for it: a text that nobody else has takes its place, and is removed.
    mark = secrets.token_bytes(24)
    return _transaction(link, [("LSET", key, index, mark), ("LREM", key, 1, mark)])


def _add_member(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    """A member, in place of the member ``old`` if that is named."""
    value = wanted.data("value")
    if not wanted.has("old"):
        if link.call("SADD", key, value) == 0:
            raise ChangedError("There is such a member.")
        return 1
    old = wanted.data("old")
    link.call("WATCH", key)
    if not link.call("SISMEMBER", key, old):
        link.call("UNWATCH")
        raise ChangedError("The member is gone.")
    if old == value:
        link.call("UNWATCH")
        return 1
    # In this order: a set without members would be gone, with its time to live.
    return _transaction(link, [("SADD", key, value), ("SREM", key, old)])


def _delete_member(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("SREM", key, wanted.data("value"))


def _score(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    """A member with its score, in place of the member ``old`` if that is named."""
    value, score = wanted.data("value"), wanted.text("score")
    if not wanted.has("old") or wanted.data("old") == value:
        return link.call("ZADD", key, score, value)
    old = wanted.data("old")
    link.call("WATCH", key)
    if link.call("ZSCORE", key, old) is None:
        link.call("UNWATCH")
        raise ChangedError("The member is gone.")
    return _transaction(link, [("ZADD", key, score, value), ("ZREM", key, old)])


def _delete_scored(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("ZREM", key, wanted.data("value"))


def _add_entry(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    reply = link.call("XADD", key, wanted.text("id", "*") or "*", *_pairs(wanted))
    return text_or_bytes(reply) if isinstance(reply, bytes) else None


def _delete_entry(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("XDEL", key, wanted.text("id"))


def _create_group(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("XGROUP", "CREATE", key, wanted.data("group"), wanted.text("id", "$"))


def _delete_group(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("XGROUP", "DESTROY", key, wanted.data("group"))


def _set_place(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    index = index_of(wanted)
    if wanted.has("version"):
        _watch(link, key, ("ARGET", key, index), wanted)
        return _transaction(link, [("ARSET", key, index, wanted.data("value"))])
    return link.call("ARSET", key, index, wanted.data("value"))


def _delete_place(link: RedisLink, key: bytes, wanted: Parameters) -> Reply:
    return link.call("ARDEL", key, index_of(wanted))


ACTIONS: dict[str, Callable[[RedisLink, bytes, Parameters], Reply]] = {
    "key.delete": _delete,
    "key.rename": _rename,
    "key.copy": _copy,
    "key.expire": _expire,
    "key.create": _create,
    "string.set": _set_string,
    "string.bit": _set_bit,
    "hash.set": _set_field,
    "hash.delete": _delete_field,
    "hash.expire": _expire_field,
    "list.set": _set_item,
    "list.push": _push,
    "list.delete": _delete_item,
    "set.add": _add_member,
    "set.delete": _delete_member,
    "zset.set": _score,
    "zset.delete": _delete_scored,
    "stream.add": _add_entry,
    "stream.delete": _delete_entry,
    "stream.group": _create_group,
    "stream.ungroup": _delete_group,
    "array.set": _set_place,
    "array.delete": _delete_place,
}


# -- Transactions ----------------------------------------------------------------------------------


def _watch(link: RedisLink, key: bytes, read: Command, wanted: Parameters) -> None:
    """Watch a key, and raise ChangedError unless what is read has the ``version`` of the page."""
    expected = wanted.text("version")
    watched, reply = link.pipeline([("WATCH", key), read])
    if isinstance(watched, Refusal):
        raise RefusedError(watched.text)
    if isinstance(reply, bytes) and not isinstance(reply, Refusal):
        if version_of(reply) == expected:
            return
        error: Exception = ChangedError("Somebody else has changed it meanwhile.")
    elif isinstance(reply, Refusal):
        error = RefusedError(reply.text)
    else:
        error = ChangedError("It is gone.")
    link.pipeline([("UNWATCH",)])
    raise error


def _transaction(link: RedisLink, commands: Sequence[Command]) -> Reply:
    """All of the commands, or none. Raises ChangedError if what is watched has changed."""
    replies = link.pipeline([("MULTI",), *commands, ("EXEC",)])
    for reply in replies[:-1]:
        # What cannot be queued says better why than EXEC does.
        if isinstance(reply, Refusal):
            link.pipeline([("UNWATCH",)])
            raise RefusedError(reply.text)
    done = replies[-1]
    if isinstance(done, Refusal):
        raise RefusedError(done.text)
    if not isinstance(done, list):
        raise ChangedError("Somebody else has changed it meanwhile.")
    for reply in done:
        if isinstance(reply, Refusal):
            raise RefusedError(reply.text)
    return done[0] if isinstance(done[0], int) else None


def _pairs(wanted: Parameters) -> list[bytes]:
    """``pairs``: names and values in turn."""
    words = wanted.byte_items("pairs", _MOST_WORDS)
    if not words or len(words) % 2:
        raise BadRequestError("pairs has to be names and values in turn.")
    return words
