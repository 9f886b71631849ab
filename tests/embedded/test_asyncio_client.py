"""carnelian.asyncio.Redis: redis-py's asyncio client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

import carnelian
import carnelian.asyncio

WAITING = Path(__file__).with_name("waiting.py")

Body = Callable[[carnelian.asyncio.Redis], Awaitable[None]]
Run = Callable[[Body], None]


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        made.load_module(WAITING)
        yield made


@pytest.fixture(params=[(2, False), (2, True), (3, False), (3, True)], ids=str)
def run(request, engine) -> Run:
    """Run a test's coroutine with a client."""
    protocol, decode = request.param

    async def main(body: Body) -> None:
        client = carnelian.AsyncRedis(engine=engine, protocol=protocol, decode_responses=decode)
        async with client:
            await asyncio.wait_for(body(client), 60)

    return lambda body: asyncio.run(main(body))


def text(client, value):
    return value if client.get_encoder().decode_responses else value.encode()


def test_commands(run):
    async def body(client):
        assert await client.set("k", "v") is True
        assert await client.get("k") == text(client, "v")
        assert await client.mget("k", "none") == [text(client, "v"), None]
        assert await client.incr("n") == 1
        assert await client.expire("k", 100) is True
        assert await client.ttl("k") == 100
        assert [key async for key in client.scan_iter("n*")] == [text(client, "n")]
        assert (await client.info("server"))["redis_version"] == carnelian.REDIS_VERSION
        with pytest.raises(redis.ResponseError, match="value is not an integer"):
            await client.incr("k")

    run(body)


def test_pipelines_and_transactions(run):
    async def body(client):
        async with client.pipeline(transaction=False) as pipe:
            for _ in range(300):
                pipe.incr("n")
            assert await pipe.execute() == list(range(1, 301))
        async with client.pipeline(transaction=True) as pipe:
            assert await pipe.set("k", 1).incr("k").execute() == [True, 2]
            await pipe.watch("k")
            assert await pipe.get("k") == text(client, "2")
            await client.set("k", 10)
            pipe.multi()
            pipe.set("k", 3)
            with pytest.raises(redis.WatchError):
                await pipe.execute()
        assert await client.get("k") == text(client, "10")

    run(body)


def test_pubsub(run, engine):
    async def body(client):
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe("a")
            await pubsub.psubscribe("x*")
            for _ in ("a", "x*"):
                assert await pubsub.get_message(timeout=5) is None
            assert await client.publish("a", "one") == 1
            assert (await pubsub.get_message(timeout=5))["data"] == text(client, "one")
            # From the loop's own thread, and from another.
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, engine.execute, "PUBLISH", "xy", "two")
            assert (await pubsub.get_message(timeout=5))["data"] == text(client, "two")
            threading.Timer(0.01, engine.execute, ("PUBLISH", "a", "three")).start()
            assert (await pubsub.get_message(timeout=5))["data"] == text(client, "three")
            assert await pubsub.get_message(timeout=0.01) is None

    run(body)


def test_listening_in_a_task(run):
    async def body(client):
        got: asyncio.Queue = asyncio.Queue()
        ready = asyncio.Event()

        async def listen():
            async with client.pubsub() as pubsub:
                await pubsub.subscribe("a")
                async for message in pubsub.listen():
                    if message["type"] == "subscribe":
                        ready.set()
                    else:
                        await got.put(message["data"])

        task = asyncio.create_task(listen())
        await ready.wait()
        await client.publish("a", "x")
        assert await got.get() == text(client, "x")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(body)


def test_blocking_commands_do_not_stop_the_loop(run):
    async def body(client):
        waiters = [asyncio.create_task(client.execute_command("WAITKEY", "k", 0)) for _ in range(3)]
        await asyncio.sleep(0)
        for number in range(3):
            await client.set("k", number)
        assert sorted(await asyncio.gather(*waiters)) == [text(client, str(n)) for n in range(3)]
        assert await client.execute_command("WAITKEY", "k", 10) is None

    run(body)


def test_a_cancelled_wait_gives_its_place_up(run, engine):
    async def body(client):
        task = asyncio.create_task(client.execute_command("WAITKEY", "k", 0))
        while engine.core.blocking.count == 0:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.core.blocking.count == 0
        await client.set("k", "v")
        assert await client.get("k") == text(client, "v")

    run(body)


def test_a_busy_task_lets_others_run(run):
    async def body(client):
        done = asyncio.Event()

        async def finish():
            done.set()

        task = asyncio.create_task(finish())
        while not done.is_set():
            await client.incr("n")
        await task

    run(body)


def test_many_tasks(run):
    async def body(client):
        async def work():
            for _ in range(50):
                await client.incr("n")

        await asyncio.gather(*(work() for _ in range(20)))
        assert await client.get("n") == text(client, "1000")

    run(body)


def test_a_killed_connection_is_replaced(run):
    async def body(client):
        await client.set("k", "v")
        await client.client_kill_filter(skipme=False)
        assert await client.get("k") == text(client, "v")

    run(body)


def test_a_socket_timeout(engine):
    async def main():
        client = carnelian.AsyncRedis(engine=engine, socket_timeout=0.02, retry=None)
        with pytest.raises(redis.TimeoutError):
            await client.execute_command("WAITKEY", "k", 0)
        assert engine.core.blocking.count == 0
        assert await client.ping()
        await client.aclose()

    asyncio.run(main())


def test_engines_and_arguments():
    async def main():
        async with carnelian.AsyncRedis() as client:
            assert await client.set("k", "v")
            engine = client.engine
        assert engine.closed
        with pytest.raises(redis.ConnectionError, match="the engine is closed"):
            await client.get("k")
        async with carnelian.AsyncRedis.from_url("redis://localhost/5") as client:
            assert (await client.client_info())["db"] == 5

    asyncio.run(main())


def test_pools_of_ones_own(engine):
    async def main():
        pool = redis.asyncio.BlockingConnectionPool(
            connection_class=carnelian.asyncio.Connection, engine=engine
        )
        async with redis.asyncio.Redis(connection_pool=pool) as client:
            assert await client.set("k", "v") and await client.get("k") == b"v"
        await pool.aclose()
        assert len(engine.core.sessions) == 0

    asyncio.run(main())


def test_loops_in_several_threads_share_an_engine(engine):
    async def work():
        async with carnelian.AsyncRedis(engine=engine) as client:
            for _ in range(100):
                await client.incr("n")

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert engine.execute("GET", "n") == b"400"
