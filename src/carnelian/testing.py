"""For tests of programs that use Redis: clients and servers in the place of fakeredis's.

``from carnelian import testing as fakeredis`` is enough for most tests that were written for it;
the fixtures for pytest need no import at all.
"""

from carnelian.embedded.redis_py.fake_server import FakeServer, forget_servers
from carnelian.embedded.testing import fake_aioredis as aioredis
from carnelian.embedded.testing.fake_clients import (
    FakeAsyncConnection,
    FakeAsyncRedis,
    FakeAsyncRedisConnection,
    FakeConnection,
    FakeRedis,
    FakeRedisConnection,
    FakeStrictRedis,
)
from carnelian.embedded.testing.frozen_clock import ManualClock
from carnelian.embedded.testing.tcp_fake_server import TcpFakeServer

__all__ = [
    "FakeAsyncConnection",
    "FakeAsyncRedis",
    "FakeAsyncRedisConnection",
    "FakeConnection",
    "FakeRedis",
    "FakeRedisConnection",
    "FakeServer",
    "FakeStrictRedis",
    "ManualClock",
    "TcpFakeServer",
    "aioredis",
    "forget_servers",
]

# What fakeredis has beside these, and what does it here.
_INSTEAD = {
    "FakeAsyncValkey": "FakeAsyncRedis(server_type='valkey')",
    "FakeRedisMixin": "FakeRedis",
    "FakeStrictValkey": "FakeRedis(server_type='valkey')",
    "FakeValkey": "FakeRedis(server_type='valkey')",
    "get_fake_connection": "FakeConnection",
}


def __getattr__(name: str) -> object:
    message = f"module {__name__!r} has no attribute {name!r}"
    if name in _INSTEAD:
        message += f": use {_INSTEAD[name]}"
    elif name.startswith("Fake"):
        message += f"; it has {', '.join(__all__)}"
    raise AttributeError(message)
