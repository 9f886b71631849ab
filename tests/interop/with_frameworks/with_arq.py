"""arq: jobs, delays, retries, cron, aborts and health, with a real worker."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from arq import create_pool
from arq.jobs import JobStatus
from arq_app import SETTINGS
from settings import HERE, PATIENCE, worker

JOBS = 200


def check() -> None:
    """Fails with an AssertionError, or whatever arq raises."""
    with worker("-m", "arq", "arq_app.WorkerSettings"):
        asyncio.run(_ask())
        health = [sys.executable, "-m", "arq", "--check", "arq_app.WorkerSettings"]
        assert subprocess.run(health, cwd=HERE, capture_output=True).returncode == 0


async def _ask() -> None:
    pool = await create_pool(SETTINGS)
    jobs = [await pool.enqueue_job("add", n, n) for n in range(JOBS)]
    assert [await job.result(PATIENCE) for job in jobs] == [2 * n for n in range(JOBS)]
    assert await pool.enqueue_job("add", 1, 1, _job_id="once") is not None
    assert await pool.enqueue_job("add", 1, 1, _job_id="once") is None
    later = await pool.enqueue_job("add", 3, 4, _defer_by=1)
    assert await later.status() is JobStatus.deferred
    assert await later.result(PATIENCE) == 7
    flaky = await pool.enqueue_job("flaky")
    assert await flaky.result(PATIENCE) == 3
    failing = await pool.enqueue_job("failing")
    try:
        await failing.result(PATIENCE)
    except ValueError as error:
        assert str(error) == "as it should"
    else:
        raise AssertionError("it did not fail")
    slow = await pool.enqueue_job("slow")
    while await slow.status() is not JobStatus.in_progress:
        await asyncio.sleep(0.05)
    assert await slow.abort(timeout=PATIENCE)
    while int(await pool.get("ticks") or 0) < 2:
        await asyncio.sleep(0.1)
    assert len(await pool.all_job_results()) >= JOBS
    await pool.aclose()
