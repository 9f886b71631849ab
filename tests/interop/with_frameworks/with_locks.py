"""redis-py's locks, and its scripts, among processes."""

from __future__ import annotations

import time

import redis
from redis.exceptions import LockError, LockNotOwnedError
from settings import part, url, wait_for, worker

ROUNDS = 50


def check() -> None:
    """Fails with an AssertionError, or whatever redis-py raises."""
    client = redis.Redis.from_url(url(8))
    client.flushdb()
    with part("one_lock"):
        _one_lock(client)
    with part("contention"):
        with worker("with_locks.py"), worker("with_locks.py"):
            wait_for(lambda: int(client.get("done") or 0) == 2, "two processes with one lock")
        # Each has read, waited and written: without the lock some of it would have got lost.
        assert int(client.get("total") or 0) == 2 * ROUNDS
    with part("scripts"):
        multiply = client.register_script("return redis.call('GET', KEYS[1]) * ARGV[1]")
        client.set("k", 6)
        assert multiply(["k"], [7]) == 42
        with client.pipeline() as pipeline:
            multiply(["k"], [2], client=pipeline)
            assert pipeline.execute() == [12]


def _one_lock(client: redis.Redis) -> None:
    lock = client.lock("lock", timeout=5)
    assert lock.acquire(blocking=False)
    assert not client.lock("lock").acquire(blocking=False)
    assert lock.owned()
    assert lock.extend(10)
    assert 14_000 < client.pttl("lock") <= 15_000
    assert lock.reacquire()
    assert client.pttl("lock") <= 5000
    lock.release()
    _fails(LockError, lock.release)
    with client.lock("lock", timeout=0.05, sleep=0.01) as short:
        time.sleep(0.1)
        client.set("lock", "somebody else's")
        _fails(LockNotOwnedError, short.extend, 1)
        short.local.token = None
        client.delete("lock")
        short.acquire()


def _fails(kind: type[Exception], function, *arguments: object) -> None:
    try:
        function(*arguments)
    except kind:
        return
    raise AssertionError(f"{function} raised no {kind.__name__}")


def _count() -> None:
    client = redis.Redis.from_url(url(8))
    for _ in range(ROUNDS):
        with client.lock("counter", timeout=30, sleep=0.001):
            total = int(client.get("total") or 0)
            time.sleep(0.001)
            client.set("total", total + 1)
    client.incr("done")


if __name__ == "__main__":
    _count()
