"""arq: jobs, delays, retries, cron, aborts and health, with a real worker."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from arq import create_pool
from arq.jobs import JobStatus
from arq_app import SETTINGS
from settings import HERE, PATIENCE, part, worker

JOBS = 200


def check() -> None:
    """Fails with an AssertionError, or whatever arq raises."""
    with worker("-m", "arq", "arq_app.WorkerSettings"):
        asyncio.run(_ask())
        with part("health"):
            health = [sys.executable, "-m", "arq", "--check", "arq_app.WorkerSettings"]
            assert subprocess.run(health, cwd=HERE, capture_output=True).returncode == 0


async def _ask() -> None:
    pool = await create_pool(SETTINGS)
    with part("jobs"):
        jobs = [await pool.enqueue_job("add", n, n) for n in range(JOBS)]
        assert [await job.result(PATIENCE) for job in jobs] == [2 * n for n in range(JOBS)]
        assert await pool.enqueue_job("add", 1, 1, _job_id="once") is not None
        assert await pool.enqueue_job("add", 1, 1, _job_id="once") is None
        assert len(await pool.all_job_results()) >= JOBS
    with part("delays"):
        later = await pool.enqueue_job("add", 3, 4, _defer_by=1)
        assert await later.status() is JobStatus.deferred
        assert await later.result(PATIENCE) == 7
    with part("retries"):
        assert await (await pool.enqueue_job("flaky")).result(PATIENCE) == 3
        failing = await pool.enqueue_job("failing")
        try:
            await failing.result(PATIENCE)
        except ValueError as error:
            assert str(error) == "as it should"
        else:
            raise AssertionError("it did not fail")
    with part("aborts"):
        slow = await pool.enqueue_job("slow")
        await _until(lambda: slow.status(), JobStatus.in_progress)
        assert await slow.abort(timeout=PATIENCE)
    with part("cron"):
        begun = int(await pool.get("ticks") or 0)
        await asyncio.sleep(2.5)
        assert int(await pool.get("ticks") or 0) >= begun + 2
    await pool.aclose()


async def _until(ask, wanted: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while await ask() is not wanted:
            await asyncio.sleep(0.05)
