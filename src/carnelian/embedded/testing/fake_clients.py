"""Clients that are made as those of redis-py are, on engines in this process."""

from __future__ import annotations

import inspect
from typing import Any

import redis
import redis.asyncio

from carnelian.embedded import aio, client
from carnelian.embedded.redis_py.fake_server import FakeServer, place_of

FakeConnection = FakeRedisConnection = client.Connection
FakeAsyncConnection = FakeAsyncRedisConnection = aio.Connection

# What says of which server a client is one. The rest is redis-py's.
_OF_SERVERS = ("version", "server_type", "connected", "config", "clock", "modules")


def _positional(kind: type) -> tuple[str, ...]:
    """The names of the arguments that a class takes by position."""
    parameters = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    return tuple(
        parameter.name
        for parameter in parameters
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    )


_NAMES = _positional(redis.Redis)
_ASYNC_NAMES = _positional(redis.asyncio.Redis)


def _named(kind: str, names: tuple[str, ...], args: tuple[Any, ...], options: dict) -> dict:
    """All arguments by name. Raises TypeError as a call of a function would."""
    if len(args) > len(names):
        raise TypeError(f"{kind}() takes {len(names)} positional arguments, {len(args)} were given")
    named = dict(zip(names, args, strict=False))
    twice = named.keys() & options.keys()
    if twice:
        raise TypeError(f"{kind}() got multiple values for argument {min(twice)!r}")
    named.update(options)
    # Names that redis-py had for these once.
    for old, new in (("charset", "encoding"), ("errors", "encoding_errors")):
        if old in named:
            named[new] = named.pop(old)
    return named


def _with_server(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with a server of the client's own, which outlives it, if they name none."""
    homes = ("server", "engine", "connection_pool")
    if place_of(options) is None and all(options.get(home) is None for home in homes):
        making = {name: options.pop(name) for name in _OF_SERVERS if name in options}
        connected = making.pop("connected", True)
        server = options["server"] = FakeServer(**making)
        server.connected = connected
    return options


class FakeRedis(client.Redis):
    """:class:`carnelian.Redis` with the arguments of :class:`redis.Redis`: ``FakeRedis(host, port,
    db)``.

    Without a ``server``, a host or anything else that names one, it has one of its own, whose data
    stay when the client is closed.

    Args:
        args: those of redis.Redis, by position.
        options: those of redis.Redis, and ``server``, ``version``, ``server_type``,
            ``lua_modules``, ``connected``; see :class:`carnelian.testing.FakeServer`.
    """

    def __init__(self, *args: Any, **options: Any):
        super().__init__(**_with_server(_named("FakeRedis", _NAMES, args, options)))


class FakeStrictRedis(FakeRedis):
    """The name that redis-py had for it once."""


class FakeAsyncRedis(aio.Redis):
    """:class:`carnelian.AsyncRedis` with the arguments of :class:`redis.asyncio.Redis`; see
    :class:`FakeRedis`.
    """

    def __init__(self, *args: Any, **options: Any):
        super().__init__(**_with_server(_named("FakeAsyncRedis", _ASYNC_NAMES, args, options)))
