"""Celery: broker and result backend, with workers: chains, groups, chords, priorities, a death."""

from __future__ import annotations

import time

from celery import chain, chord, group
from celery_app import add, app, failing, flaky, hang, note, total
from settings import PATIENCE, part, wait_for, worker

TASKS = 300
# Seconds after which another worker may take what one has taken and not done.
VISIBILITY_TIMEOUT = 3
WORKER = ("-m", "celery", "-A", "celery_app", "worker", "-P", "threads", "-l", "INFO")


def check() -> None:
    """Fails with an AssertionError, or whatever Celery raises."""
    app.backend.client.delete("order", "hung")
    for number in range(12):
        note.apply_async(("order", f"low {number}"), priority=9)
    for number in range(3):
        note.apply_async(("order", f"high {number}"), priority=0)
    with part("priorities"), worker(*WORKER, "-c", "1"):
        wait_for(lambda: app.backend.client.llen("order") == 15, "tasks with priorities")
        order = [word.decode() for word in app.backend.client.lrange("order", 0, 2)]
        assert order == ["high 0", "high 1", "high 2"], order
    with worker(*WORKER, "-c", "4"):
        _check_tasks()
    _check_visibility_timeout()


def _check_tasks() -> None:
    with part("tasks"):
        tasks = [add.delay(n, n) for n in range(TASKS)]
        assert [task.get(PATIENCE) for task in tasks] == [2 * n for n in range(TASKS)]
    with part("chains"):
        assert chain(add.s(1, 1), add.s(10))().get(PATIENCE) == 12
    with part("groups"):
        many = group(add.s(n, n) for n in range(100))().get(PATIENCE)
        assert many == [2 * n for n in range(100)]
    with part("chords"):
        assert chord([add.s(n, 1) for n in range(100)])(total.s()).get(PATIENCE) == 5050
    with part("retries"):
        assert flaky.delay().get(PATIENCE) == 2
        failure = failing.delay()
        failure.get(PATIENCE, propagate=False)
        assert failure.state == "FAILURE"
        assert isinstance(failure.result, ValueError)
    with part("countdown"):
        later = [add.apply_async((n, 2), countdown=1) for n in range(20)]
        assert [task.get(PATIENCE) for task in later] == [n + 2 for n in range(20)]
    with part("control"):
        # Remote control goes through messages of its own.
        assert app.control.ping(timeout=5)
        names = next(iter(app.control.inspect(timeout=5).registered().values()))
        assert "celery_app.add" in names
        waiting = add.apply_async((1, 1), countdown=300)
        waiting.revoke()
        assert app.control.inspect(timeout=5).scheduled() is not None


def _check_visibility_timeout() -> None:
    """What a killed worker had taken comes back when it was not visible for so long."""
    timeout = {"VISIBILITY_TIMEOUT": str(VISIBILITY_TIMEOUT)}
    with part("visibility_timeout"):
        with worker(*WORKER, "-c", "1", **timeout) as doomed:
            task = hang.delay("hung")
            wait_for(lambda: app.backend.client.get("hung") == b"1", "a task that hangs")
            doomed.kill()
        # A worker looks for such tasks as it starts, and then every hundred seconds.
        time.sleep(VISIBILITY_TIMEOUT)
        with worker(*WORKER, "-c", "1", **timeout):
            assert task.get(PATIENCE) == "done"
        assert app.backend.client.get("hung") == b"2"
