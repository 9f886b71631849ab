"""Actors for a Dramatiq worker."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.rate_limits import ConcurrentRateLimiter
from dramatiq.rate_limits.backends import RedisBackend as LimiterBackend
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from settings import url

broker = RedisBroker(url=url(5))
broker.add_middleware(Results(backend=RedisBackend(url=url(5))))
dramatiq.set_broker(broker)

limiter = LimiterBackend(url=url(5))
MUTEX = ConcurrentRateLimiter(limiter, "mutex", limit=1)


@dramatiq.actor(store_results=True)
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@dramatiq.actor(store_results=True, max_retries=3, min_backoff=50, max_backoff=100)
def flaky(key: str) -> int:
    """Succeeds at the third attempt."""
    attempts = broker.client.incr(key)
    if attempts < 3:
        raise ValueError("again")
    return attempts


@dramatiq.actor(store_results=True)
def limited(x: int) -> int:
    """Runs while nobody else does."""
    with MUTEX.acquire():
        return x
