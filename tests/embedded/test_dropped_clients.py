"""Clients that are dropped rather than closed: their sessions end."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

import carnelian
import carnelian.asyncio
from support.waiting import wait_for


@pytest.fixture
def engine():
    with carnelian.Engine() as engine:
        yield engine


def sessions(engine) -> int:
    """The sessions besides the one that asks."""
    gc.collect()
    engine.execute("PING")
    return len(engine.core.sessions) - 1


def test_an_asyncio_client_that_is_dropped_while_the_loop_goes_on(engine):
    async def use() -> None:
        r = carnelian.AsyncRedis(engine=engine)
        pubsub = r.pubsub()
        await pubsub.subscribe("news")
        await r.set("k", "v")

    async def main() -> int:
        await use()
        # The loop lets go of it when it comes round.
        await asyncio.sleep(0)
        return sessions(engine)

    assert asyncio.run(main()) == 0
    assert engine.execute("PUBLISH", "news", "hello") == 0


def test_an_asyncio_client_that_is_dropped_with_its_loop(engine):
    async def use() -> None:
        r = carnelian.AsyncRedis(engine=engine)
        pubsub = r.pubsub()
        await pubsub.subscribe("news")
        await pubsub.get_message(timeout=0.01)

    asyncio.run(use())
    assert sessions(engine) == 0


def test_an_exception_leaves_no_session(engine):
    async def use() -> None:
        r = carnelian.AsyncRedis(engine=engine, single_connection_client=True)
        await r.ping()
        pubsub = r.pubsub()
        await pubsub.psubscribe("*")
        raise KeyError("something else")

    with pytest.raises(KeyError):
        asyncio.run(use())
    assert sessions(engine) == 0


# That coroutines end half-way is what the test is about.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_task_that_waits_when_its_loop_is_closed(engine):
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    loop.run_until_complete(_begin_to_listen(engine, loop, []))
    loop.run_until_complete(asyncio.sleep(0.02))
    assert sessions(engine) == 2
    loop.close()
    del loop
    assert sessions(engine) == 0


def test_a_task_that_nobody_keeps_goes_on(engine):
    heard: list = []

    async def main() -> None:
        await _begin_to_listen(engine, asyncio.get_running_loop(), heard)
        await asyncio.sleep(0.02)
        gc.collect()
        engine.execute("PUBLISH", "news", "hello")
        await asyncio.sleep(0.02)

    asyncio.run(main())
    assert heard == [b"hello"]
    assert sessions(engine) == 0


async def _begin_to_listen(engine, loop, heard) -> None:
    async def listen() -> None:
        pubsub = carnelian.AsyncRedis(engine=engine).pubsub()
        await pubsub.subscribe("news")
        async for message in pubsub.listen():
            if message["type"] == "message":
                heard.append(message["data"])

    # Something that keeps a blocked session busy as well.
    async def pop() -> None:
        await carnelian.AsyncRedis(engine=engine).blpop("q", 0)

    loop.create_task(listen())
    loop.create_task(pop())


def test_a_synchronous_client_that_is_dropped(engine):
    r = carnelian.Redis(engine=engine)
    pubsub = r.pubsub()
    pubsub.subscribe("news")
    r.set("k", "v")
    del r, pubsub
    assert sessions(engine) == 0


def test_a_session_whose_listener_refers_to_it(engine):
    session = engine.session()
    session.execute("SUBSCRIBE", "news")
    heard = []
    session.on_delivery(lambda: heard.append(session.id))
    engine.execute("PUBLISH", "news", "hello")
    assert heard == [session.id]
    session = None
    assert sessions(engine) == 0


def test_a_descriptor_and_a_listener_at_once(engine):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "news")
        heard = []
        session.on_delivery(lambda: heard.append(1))
        session.fileno()
        engine.execute("PUBLISH", "news", "hello")
        assert heard == [1]
        session.on_delivery(None)
        session.get_message(0)
        engine.execute("PUBLISH", "news", "hello")
        assert heard == [1]
        assert session.pending()


def test_messages_from_another_thread_reach_a_waiting_task(engine):
    async def main() -> dict:
        pubsub = carnelian.AsyncRedis(engine=engine).pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe("news")
        await pubsub.get_message(timeout=0.01)
        threading.Timer(0.05, engine.execute, ("PUBLISH", "news", "hello")).start()
        return await pubsub.get_message(timeout=5)

    message = asyncio.run(main())
    assert message["data"] == b"hello"
    wait_for(lambda: sessions(engine) == 0)
