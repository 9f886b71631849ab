"""Huey: priorities, results, schedules, retries and locks, with a real consumer."""

from __future__ import annotations

from huey import RedisExpireHuey
from huey_app import add, flaky, huey, locked
from settings import PATIENCE, part, url, wait_for, worker

TASKS = 300


def check() -> None:
    """Fails with an AssertionError, or whatever Huey raises."""
    huey.flush()
    huey.storage.conn.delete("huey-attempts")
    first, second = add(1, 2), add(3, 4, priority=5)
    assert huey.pending_count() == 2
    with worker("-m", "huey.bin.huey_consumer", "huey_app.huey", "-w", "2"):
        with part("priorities"):
            assert first.get(blocking=True, timeout=PATIENCE) == 3
            assert second.get(blocking=True, timeout=PATIENCE) == 7
        with part("schedules"):
            assert add.schedule((5, 6), delay=1).get(blocking=True, timeout=PATIENCE) == 11
        with part("retries"):
            flaky("huey-attempts")
            wait_for(lambda: huey.storage.conn.get("huey-attempts") == b"3", "three attempts")
        with part("tasks"):
            many = [add(n, n) for n in range(TASKS)]
            found = [task.get(blocking=True, timeout=PATIENCE) for task in many]
            assert found == [2 * n for n in range(TASKS)]
        with part("pipelines"):
            pipeline = add.s(1, 1).then(add, 40)
            assert huey.enqueue(pipeline).get(blocking=True, timeout=PATIENCE) == [2, 42]
        with part("locks"):
            assert locked(9).get(blocking=True, timeout=PATIENCE) == 9
    expiring = RedisExpireHuey("expiring", url=url(3), expire_time=60)
    expiring.put("k", "v")
    assert expiring.get("k") == "v"
    with huey.lock_task("mine"):
        assert huey.is_locked("mine")
    assert not huey.is_locked("mine")
