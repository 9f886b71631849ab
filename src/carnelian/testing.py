"""For tests of programs that use Redis: clients and servers in the place of fakeredis's.

``from carnelian import testing as fakeredis`` is enough for most tests that were written for it;
the fixtures for pytest need no import at all.
"""

from carnelian.embedded.redis_py.fake_server import FakeServer, forget_servers
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
    "forget_servers",
]
