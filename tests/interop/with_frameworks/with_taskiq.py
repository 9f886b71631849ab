"""taskiq: tasks and results, by a list and by a stream with a consumer group, with real workers."""

from __future__ import annotations

import asyncio

from settings import PATIENCE, part, url, worker
from taskiq_app import add, broker, double, flaky, streamed
from taskiq_redis import RedisScheduleSource

JOBS = 200
DOUBLES = [2 * n for n in range(JOBS)]
WORKER = ("-m", "taskiq", "worker", "--workers", "1", "--max-async-tasks", "20")


def check() -> None:
    """Fails with an AssertionError, or whatever taskiq raises."""
    with worker(*WORKER, "taskiq_app:broker"), worker(*WORKER, "taskiq_app:streamed"):
        asyncio.run(_ask())


async def _ask() -> None:
    await broker.startup()
    await streamed.startup()
    with part("by_list"):
        assert await _results([await add.kiq(n, n) for n in range(JOBS)]) == DOUBLES
    with part("by_stream"):
        assert await _results([await double.kiq(n) for n in range(JOBS)]) == DOUBLES
    with part("retries"):
        retried = await (await flaky.kiq()).wait_result(timeout=PATIENCE)
        assert retried.is_err or retried.return_value == 3
    with part("schedules"):
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


async def _results(tasks: list) -> list[int]:
    return [(await task.wait_result(timeout=PATIENCE)).return_value for task in tasks]
