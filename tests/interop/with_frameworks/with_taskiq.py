"""taskiq: tasks and results, by a list and by a stream with a consumer group, with real workers."""

from __future__ import annotations

import asyncio

from settings import PATIENCE, url, worker
from taskiq_app import add, broker, double, flaky, streamed
from taskiq_redis import RedisScheduleSource

JOBS = 200
WORKER = ("-m", "taskiq", "worker", "--workers", "1", "--max-async-tasks", "20")


def check() -> None:
    """Fails with an AssertionError, or whatever taskiq raises."""
    with worker(*WORKER, "taskiq_app:broker"), worker(*WORKER, "taskiq_app:streamed"):
        asyncio.run(_ask())


async def _ask() -> None:
    await broker.startup()
    await streamed.startup()
    sums = [await add.kiq(n, n) for n in range(JOBS)]
    doubles = [await double.kiq(n) for n in range(JOBS)]
    for tasks in (sums, doubles):
        found = [await task.wait_result(timeout=PATIENCE) for task in tasks]
        assert [result.return_value for result in found] == [2 * n for n in range(JOBS)]
    retried = await (await flaky.kiq()).wait_result(timeout=PATIENCE)
    assert retried.is_err or retried.return_value == 3
    await _schedules()
    await broker.shutdown()
    await streamed.shutdown()


async def _schedules() -> None:
    source = RedisScheduleSource(url(12))
    made = await add.schedule_by_cron(source, "* * * * *", 1, 2)
    schedules = await source.get_schedules()
    assert [each.schedule_id for each in schedules] == [made.schedule_id]
    await source.delete_schedule(made.schedule_id)
    assert await source.get_schedules() == []
