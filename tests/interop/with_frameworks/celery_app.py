"""Tasks for a Celery worker."""

from __future__ import annotations

from celery import Celery
from settings import url

app = Celery("interop", broker=url(1), backend=url(2))
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 30, "global_keyprefix": "celery:"},
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
