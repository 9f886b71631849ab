"""RQ: jobs, dependencies, schedules and failures, with a real worker and its scheduler."""

from __future__ import annotations

from datetime import timedelta

import redis
from rq import Queue, Retry
from rq.job import Job
from rq_tasks import add, failing
from settings import part, url, wait_for, worker

JOBS = 200
SIMPLE = ("--worker-class", "rq.SimpleWorker")


def check() -> None:
    """Fails with an AssertionError, or whatever RQ raises."""
    connection = redis.Redis.from_url(url(4))
    queue = Queue("interop", connection=connection)

    def done(job: Job) -> bool:
        return job.get_status(refresh=True) == "finished"

    first = queue.enqueue(add, 1, 2)
    after = queue.enqueue(add, 3, 4, depends_on=first)
    bad = queue.enqueue(failing, retry=Retry(max=1))
    with worker("-m", "rq.cli", "worker", "-u", url(4), "--with-scheduler", "interop"):
        with part("dependencies"):
            wait_for(lambda: done(after), "a job and one that depends on it")
            assert first.return_value() == 3
            assert after.return_value() == 7
        with part("scheduler"):
            later = queue.enqueue_in(timedelta(seconds=1), add, 5, 6)
            assert later.id in queue.scheduled_job_registry
            wait_for(lambda: done(later), "a scheduled job")
        with part("failures"):
            wait_for(lambda: bad.get_status(refresh=True) == "failed", "a failing job")
            assert bad.id in queue.failed_job_registry
            assert "as it should" in bad.latest_result().exc_string
    # A worker that forks for each job is slow at many: this one does them itself.
    with part("jobs"), worker("-m", "rq.cli", "worker", "-u", url(4), *SIMPLE, "interop"):
        many = queue.enqueue_many([Queue.prepare_data(add, (n, n)) for n in range(JOBS)])
        wait_for(lambda: all(map(done, many)), "many jobs")
        assert [job.return_value() for job in many] == [2 * n for n in range(JOBS)]
        assert queue.finished_job_registry.count >= JOBS
