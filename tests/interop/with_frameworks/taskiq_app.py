"""Tasks for a taskiq worker, by a list and by a stream."""

from __future__ import annotations

from settings import url
from taskiq import SimpleRetryMiddleware
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker

results = RedisAsyncResultBackend(redis_url=url(12), result_ex_time=60)
broker = (
    ListQueueBroker(url=url(12), queue_name="by-list")
    .with_result_backend(results)
    .with_middlewares(SimpleRetryMiddleware(default_retry_count=3))
)
streamed = RedisStreamBroker(url=url(12), queue_name="by-stream").with_result_backend(
    RedisAsyncResultBackend(redis_url=url(12), result_ex_time=60)
)
attempts: list[int] = []


@broker.task
async def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@broker.task(retry_on_error=True)
async def flaky() -> int:
    """Succeeds at the third attempt."""
    attempts.append(1)
    if len(attempts) < 3:
        raise ValueError("again")
    return len(attempts)


@streamed.task
async def double(x: int) -> int:
    """Twice as much."""
    return 2 * x
