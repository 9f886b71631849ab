"""Tasks for a Celery worker."""

from __future__ import annotations

import os
import time

from celery import Celery
from settings import url

app = Celery("interop", broker=url(1), backend=url(2))
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", "30")),
        "global_keyprefix": "celery:",
        "priority_steps": [0, 3, 6, 9],
        "sep": ":",
        "queue_order_strategy": "priority",
    },
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    result_expires=60,
)


@app.task
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@app.task
def total(numbers: list[int]) -> int:
    """The sum of all."""
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def flaky(self) -> int:
    """Succeeds at the third attempt."""
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task
def failing() -> None:
    """Never succeeds."""
    raise ValueError("as it should")


@app.task
def note(key: str, word: str) -> None:
    """Leave a word in a list, for the order in which tasks are done."""
    app.backend.client.rpush(key, word)


@app.task
def hang(key: str) -> str:
    """Hangs in the process that gets it first."""
    if app.backend.client.incr(key) == 1:
        time.sleep(600)
    return "done"
