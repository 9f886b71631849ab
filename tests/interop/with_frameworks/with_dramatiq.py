"""Dramatiq: messages, results, delays, retries, groups and limits, with a real worker."""

from __future__ import annotations

import dramatiq
from dramatiq_app import add, broker, flaky, limited
from settings import PATIENCE, part, worker

TASKS = 300
MS = int(PATIENCE * 1000)


def check() -> None:
    """Fails with an AssertionError, or whatever Dramatiq raises."""
    broker.flush_all()
    first = add.send(1, 2)
    with worker("-m", "dramatiq", "dramatiq_app", "-p", "1", "-t", "4"):
        with part("messages"):
            assert first.get_result(block=True, timeout=MS) == 3
        with part("delays"):
            delayed = add.send_with_options(args=(3, 4), delay=500)
            assert delayed.get_result(block=True, timeout=MS) == 7
        with part("retries"):
            assert flaky.send("dramatiq-attempts").get_result(block=True, timeout=MS) == 3
        with part("limits"):
            assert limited.send(8).get_result(block=True, timeout=MS) == 8
        with part("pipelines"):
            piped = dramatiq.pipeline([add.message(1, 1), add.message(40)]).run()
            assert piped.get_result(block=True, timeout=MS) == 42
        with part("groups"):
            many = dramatiq.group([add.message(n, n) for n in range(TASKS)]).run()
            found = list(many.get_results(block=True, timeout=MS))
            assert found == [2 * n for n in range(TASKS)]
    broker.client.delete("dramatiq-attempts")
