"""The asyncio half of fakeredis's names: what tests find as ``fakeredis.aioredis``."""

from carnelian.embedded.redis_py.fake_server import FakeServer
from carnelian.embedded.testing.fake_clients import (
    FakeAsyncConnection,
    FakeAsyncRedis,
    FakeAsyncRedisConnection,
)

FakeRedis = FakeStrictRedis = FakeAsyncRedis
FakeConnection = FakeAsyncConnection
FakeRedisConnection = FakeAsyncRedisConnection

__all__ = [
    "FakeConnection",
    "FakeRedis",
    "FakeRedisConnection",
    "FakeServer",
    "FakeStrictRedis",
]
