"""Tasks for a consumer of Huey."""

from __future__ import annotations

from huey import PriorityRedisHuey
from settings import url

huey = PriorityRedisHuey("interop", url=url(3))


@huey.task()
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@huey.task(retries=2)
def flaky(key: str) -> int:
    """Succeeds at the third attempt."""
    attempts = huey.storage.conn.incr(key)
    if attempts < 3:
        raise ValueError("again")
    return attempts


@huey.task()
@huey.lock_task("one-at-a-time")
def locked(x: int) -> int:
    """Holds a lock while it runs."""
    return x
