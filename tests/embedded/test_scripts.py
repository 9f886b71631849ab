"""Scripts in an embedded engine: interrupted, in threads, and as redis-py uses them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import redis

import carnelian


class Alarm(Exception):
    """What the signal handler of a test raises."""


@pytest.fixture
def interrupts() -> Iterator[None]:
    """SIGALRM raises."""

    def handle(number: int, frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, handle)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


ENDLESS = [
    "while true do end",
    "redis.call('set', 'k', 'v') while true do pcall(function() while true do end end) end",
    "while true do coroutine.wrap(function() while true do redis.call('incr', 'n') end end)() end",
    "local s = 'x' while true do s = ('x'):rep(1e5):gsub('x', 'y') end",
]


@pytest.mark.parametrize("script", ENDLESS)
def test_ctrl_c_ends_a_script(script: str) -> None:
    with carnelian.Engine() as engine:
        timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                engine.execute("EVAL", script, 0)
        finally:
            signal.signal(signal.SIGINT, before)
        assert engine.core.depth == 0
        assert engine.execute("EVAL", "return redis.call('ping')", 0) == b"PONG"
        if "'set'" in script:
            assert engine.execute("GET", "k") == b"v", "what it has written stays"


def test_other_threads_wait_for_a_script() -> None:
    with carnelian.Engine() as engine:
        script = "for i = 1, 1000 do redis.call('incr', 'n') end return redis.call('get', 'n')"
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.append(engine.execute("EVAL", script, 0)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(int, found)) == [1000 * count for count in range(1, 9)]


def test_registered_scripts() -> None:
    client = carnelian.Redis()
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('incr', KEYS[1])}")
    assert script(keys=["n"], args=["a"]) == [b"n", b"a", 1]
    client.script_flush()
    assert script(keys=["n"], args=["b"]) == [b"n", b"b", 2], "it is loaded again"
    pipeline = client.pipeline()
    script(keys=["n"], args=["c"], client=pipeline)
    pipeline.get("n")
    assert pipeline.execute() == [[b"n", b"c", 3], b"3"]


def test_locks() -> None:
    client = carnelian.Redis()
    lock = client.lock("lock", timeout=10)
    other = client.lock("lock", timeout=10, blocking=False)
    assert lock.acquire()
    assert not other.acquire()
    assert lock.extend(5)
    assert lock.reacquire()
    assert lock.owned()
    lock.release()
    assert other.acquire()
    with pytest.raises(redis.exceptions.LockError):
        lock.release()
    other.release()
    assert client.get("lock") is None


def test_locks_that_are_interrupted(interrupts: None) -> None:
    client = carnelian.Redis()
    count = 0
    deadline = time.monotonic() + 30
    while count < 100 and time.monotonic() < deadline:
        lock = client.lock("lock", timeout=10)
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + (count % 10) * 5e-5)
            while True:
                with lock:
                    assert client.get("lock") == lock.local.token
        except (Alarm, redis.exceptions.LockError):
            count += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        client.delete("lock")
        assert client.eval("return redis.call('ping')", 0) == b"PONG"
    assert count == 100
