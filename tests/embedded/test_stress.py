"""Many threads at once, with everything that may wait, end or be dropped on the way."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import carnelian

WAITING = Path(__file__).with_name("waiting.py")
SECONDS = 0.5


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


class Workers:
    """What the threads do, again and again."""

    def __init__(self, engine: carnelian.Engine):
        self.engine = engine
        self.client = carnelian.Redis(engine=engine)
        self.chance = random.Random(7)

    def count(self) -> None:
        self.engine.execute("INCR", "n")

    def push(self) -> None:
        expiry = self.chance.randrange(1, 50)
        self.engine.execute("SET", f"q{self.chance.randrange(4)}", "x", "PX", expiry)

    def pop(self) -> None:
        self.engine.execute("WAITKEY", f"q{self.chance.randrange(4)}", self.chance.randrange(1, 20))

    def subscribe(self) -> None:
        try:
            with self.engine.session() as session:
                session.execute("SUBSCRIBE", "c")
                session.get_message(0.001)
        except carnelian.EngineClosedError:
            if self.engine.closed:
                raise

    def publish(self) -> None:
        self.engine.execute("PUBLISH", "c", "m")

    def pause(self) -> None:
        self.engine.execute("CLIENT", "PAUSE", 2, "WRITE")
        time.sleep(0.003)

    def kill(self) -> None:
        self.engine.execute("CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(0.002)

    def drop(self) -> None:
        session = self.engine.session()
        session.execute("WATCH", "n")
        session.fileno()

    def pipeline(self) -> None:
        for transaction in (True, False):
            pipe = self.client.pipeline(transaction)
            pipe.incr("n")
            pipe.execute_command("WAITKEY", "none", 1)
            pipe.get("n")
            pipe.execute()

    def watch(self) -> None:
        with self.client.pipeline() as pipe:
            try:
                pipe.watch("n")
                value = pipe.get("n")
                pipe.multi()
                pipe.set("copy", value or 0)
                pipe.execute()
            except redis.WatchError:
                pass

    def loop(self) -> None:
        async def main() -> None:
            async with carnelian.AsyncRedis(engine=self.engine) as client:
                waiter = client.execute_command("WAITKEY", "q1", 3)
                await asyncio.gather(waiter, *(client.incr("n") for _ in range(20)))

        asyncio.run(main())

    def all(self) -> list[Callable[[], None]]:
        return [
            self.count, self.push, self.push, self.pop, self.pop, self.subscribe, self.subscribe,
            self.publish, self.pause, self.kill, self.drop, self.pipeline, self.watch, self.loop,
        ]  # fmt: skip


@pytest.mark.parametrize("close_early", [False, True])
def test_everything_at_once(close_early):
    engine = carnelian.Engine()
    engine.load_module(WAITING)
    workers = Workers(engine)
    stop = threading.Event()
    errors: list[BaseException] = []

    def repeat(work: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                work()
        except (carnelian.EngineClosedError, redis.ConnectionError) as error:
            if not engine.closed:
                errors.append(error)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(work,), daemon=True) for work in workers.all()]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    if close_early:
        engine.close()
    stop.set()
    for thread in threads:
        thread.join(60)
    assert [thread for thread in threads if thread.is_alive()] == []
    assert errors == []
    engine.close()
    assert len(engine.core.sessions) == 0
