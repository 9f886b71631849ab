"""Celery: broker and result backend, with a worker that runs chains, chords and retries."""

from __future__ import annotations

from celery import chain, chord, group
from celery_app import add, app, failing, flaky, total
from settings import PATIENCE, worker


def check() -> None:
    """Fails with an AssertionError, or whatever Celery raises."""
    with worker(
        "-m", "celery", "-A", "celery_app", "worker", "-P", "threads", "-c", "2", "-l", "INFO"
    ):
        assert add.delay(2, 3).get(PATIENCE) == 5
        assert chain(add.s(1, 1), add.s(10))().get(PATIENCE) == 12
        assert group(add.s(n, n) for n in range(10))().get(PATIENCE) == [2 * n for n in range(10)]
        assert chord([add.s(n, 1) for n in range(10)])(total.s()).get(PATIENCE) == 55
        assert flaky.delay().get(PATIENCE) == 2
        assert add.apply_async((1, 2), countdown=1).get(PATIENCE) == 3
        assert add.apply_async((3, 4), priority=3).get(PATIENCE) == 7
        failure = failing.delay()
        failure.get(PATIENCE, propagate=False)
        assert failure.state == "FAILURE"
        assert isinstance(failure.result, ValueError)
        # Remote control goes through messages of its own.
        assert app.control.ping(timeout=5)
        names = next(iter(app.control.inspect(timeout=5).registered().values()))
        assert "celery_app.add" in names
