"""Jobs for an arq worker."""

from __future__ import annotations

import asyncio

from arq import Retry, cron, func
from arq.connections import RedisSettings
from settings import PORT

SETTINGS = RedisSettings(port=PORT, database=11)


async def add(context: dict, x: int, y: int) -> int:
    """The sum."""
    return x + y


async def flaky(context: dict) -> int:
    """Succeeds at the third attempt."""
    if context["job_try"] < 3:
        raise Retry(defer=0.05)
    return context["job_try"]


async def failing(context: dict) -> None:
    """Never succeeds."""
    raise ValueError("as it should")


async def slow(context: dict) -> None:
    """Longer than anybody waits."""
    await asyncio.sleep(60)


async def tick(context: dict) -> None:
    """Done every second."""
    await context["redis"].incr("ticks")


class WorkerSettings:
    """What ``arq arq_app.WorkerSettings`` runs."""

    functions = [add, func(flaky, max_tries=5), failing, slow]
    cron_jobs = [cron(tick, second=set(range(60)), run_at_startup=True)]
    redis_settings = SETTINGS
    poll_delay = 0.05
    allow_abort_jobs = True
