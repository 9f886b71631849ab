"""Sessions that do not read: what waits for them counts, and has an end."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import carnelian
from support.waiting import wait_for

MB = 1024 * 1024
# What a message of three words takes beside its payload: four objects and the other words.
PLAIN = 4 * 64 + len(b"message") + len(b"news")


@pytest.fixture
def engine():
    with carnelian.Engine() as engine:
        yield engine


def subscribed(engine):
    session = engine.session()
    session.execute("SUBSCRIBE", "news")
    return session


def used(engine) -> int:
    return info(engine, "memory", "used_memory")


def info(engine, section: str, field: str) -> int:
    for line in engine.execute("INFO", section).decode().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.partition(":")[2])
    raise KeyError(field)


def line(engine, session) -> dict[str, str]:
    text = engine.execute("CLIENT", "LIST", "ID", session.id).decode()
    return dict(field.split("=", 1) for field in text.split())


# -- What counts -----------------------------------------------------------------------------------


def test_what_waits_is_counted_until_it_is_read(engine):
    session = subscribed(engine)
    engine.execute("PING")
    before, idle = used(engine), int(line(engine, session)["tot-mem"])
    clients = info(engine, "memory", "mem_clients_normal")
    for _ in range(10):
        engine.execute("PUBLISH", "news", b"x" * MB)
    waiting = 10 * (MB + PLAIN)
    shown = line(engine, session)
    assert (shown["omem"], shown["oll"]) == (str(waiting), "10")
    assert int(shown["tot-mem"]) == idle + waiting
    assert info(engine, "memory", "mem_clients_normal") == clients + waiting
    assert abs(used(engine) - before - waiting) < 64 * 1024
    for number in range(9, -1, -1):
        assert session.get_message(0) == [b"message", b"news", b"x" * MB]
        assert line(engine, session)["omem"] == str(number * (MB + PLAIN))
    assert int(line(engine, session)["tot-mem"]) == idle
    assert abs(used(engine) - before) < 64 * 1024


def test_what_waits_for_a_session_that_ends_is_counted_no_longer(engine):
    before = used(engine)
    session = subscribed(engine)
    engine.execute("PUBLISH", "news", b"x" * MB)
    assert used(engine) > before + MB
    session.close()
    assert abs(used(engine) - before) < 64 * 1024
    # It can still be fetched, and that changes nothing.
    assert session.get_message(0) == [b"message", b"news", b"x" * MB]
    assert abs(used(engine) - before) < 64 * 1024


def test_engines_do_not_count_what_waits_in_others(engine):
    session = subscribed(engine)
    with carnelian.Engine() as other:
        before = used(other)
        engine.execute("PUBLISH", "news", b"x" * MB)
        assert used(other) == before
        session.get_message(0)
        assert used(other) == before


def test_replies_of_a_stream_count(engine):
    engine.execute("SET", "k", b"x" * MB)
    stream = engine.stream()
    before = used(engine)
    stream.submit([[b"GET", b"k"]] * 5)
    assert line(engine, stream)["omem"] == str(5 * (MB + 64))
    assert used(engine) > before + 5 * MB
    for _ in range(5):
        stream.fetch(0)
    assert line(engine, stream)["omem"] == "0"


def test_commands_that_wait_count(engine):
    stream = engine.stream()
    stream.submit([[b"BLPOP", b"q", b"0"]])
    before = used(engine)
    stream.submit([[b"SET", b"k", b"x" * MB]])
    words = 4 * 64 + len(b"SETk") + MB
    assert line(engine, stream)["qbuf"] == str(words)
    assert abs(used(engine) - before - words) < 64 * 1024
    engine.execute("RPUSH", "q", "a")
    assert line(engine, stream)["qbuf"] == "0"
    assert engine.execute("STRLEN", "k") == MB


def test_keys_give_way_to_what_waits_and_writes_are_refused():
    with carnelian.Engine(maxmemory="8mb", maxmemory_policy="noeviction") as engine:
        session = subscribed(engine)
        for _ in range(12):
            engine.execute("PUBLISH", "news", b"x" * MB)
        with pytest.raises(carnelian.Error, match="OOM command not allowed when used memory"):
            engine.execute("SET", "k", "v")
        while session.get_message(0):
            pass
        assert engine.execute("SET", "k", "v") == b"OK"


# -- The limits ------------------------------------------------------------------------------------


def limit(engine, text: str) -> None:
    engine.execute("CONFIG", "SET", "client-output-buffer-limit", text)


def test_the_hard_limit(engine, caplog):
    limit(engine, "pubsub 1mb 0 0")
    before = used(engine)
    session = subscribed(engine)
    other = subscribed(engine)
    with caplog.at_level(logging.WARNING, "carnelian"):
        for _ in range(20):
            engine.execute("PUBLISH", "news", b"x" * 100_000)
            other.get_message(0)
    assert session.closed
    assert not other.closed
    assert engine.execute("PUBSUB", "NUMSUB", "news") == [b"news", 1]
    size = 11 * (100_000 + PLAIN)
    for _ in range(2):
        with pytest.raises(carnelian.SessionCutError) as error:
            session.get_message(0)
        assert str(error.value) == (
            f"this session was closed: {size} bytes waited for it unread, more than "
            "client-output-buffer-limit pubsub allows"
        )
        with pytest.raises(carnelian.SessionCutError):
            session.execute("PING")
    assert isinstance(error.value, carnelian.EngineClosedError)
    assert [record.message for record in caplog.records] == [
        record.message
        for record in caplog.records
        if record.message.endswith("closed ASAP for overcoming of output buffer limits.")
        and f" omem={size} " in record.message
    ]
    assert len(caplog.records) == 1
    assert info(engine, "stats", "client_output_buffer_limit_disconnections") == 1
    assert used(engine) < before + MB // 2


def test_the_limit_that_is_there_from_the_start(engine):
    session = subscribed(engine)
    for _ in range(40):
        engine.execute("PUBLISH", "news", b"x" * MB)
    assert session.closed
    assert used(engine) < 8 * MB


def test_the_soft_limit(monkeypatch):
    clock = carnelian.ManualClock()
    with carnelian.Engine(clock=clock) as engine:
        limit(engine, "pubsub 0 100kb 2")
        session = subscribed(engine)
        engine.execute("PUBLISH", "news", b"x" * 200_000)
        clock.advance(2_000)
        assert not session.closed
        # Below it, time begins anew.
        session.get_message(0)
        clock.advance(1_000)
        engine.execute("PUBLISH", "news", b"x" * 200_000)
        clock.advance(2_000)
        assert not session.closed
        # No further message is needed.
        clock.advance(1_000)
        assert session.closed
        with pytest.raises(carnelian.SessionCutError, match="client-output-buffer-limit pubsub"):
            session.get_message(0)


def test_the_soft_limit_in_real_time(engine):
    limit(engine, "pubsub 0 100kb 1")
    session = subscribed(engine)
    engine.execute("PUBLISH", "news", b"x" * 200_000)
    wait_for(lambda: session.closed)


def test_a_monitor_is_a_normal_client(engine):
    limit(engine, "normal 100kb 0 0 pubsub 1kb 0 0")
    monitor = engine.session()
    monitor.execute("MONITOR")
    engine.execute("SET", "k", b"x" * 50_000)
    assert not monitor.closed
    engine.execute("SET", "k", b"x" * 60_000)
    assert monitor.closed
    with pytest.raises(carnelian.SessionCutError, match="client-output-buffer-limit normal"):
        monitor.get_message(0)
    assert engine.execute("SET", "k", "v") == b"OK"


def test_a_reader_that_waits_is_woken(engine):
    limit(engine, "pubsub 0 0 0 normal 100kb 0 0")
    stream = engine.stream()
    stream.submit([[b"BLPOP", b"q", b"0"]])
    engine.execute("CONFIG", "SET", "maxmemory-clients", "1kb")
    with pytest.raises(carnelian.SessionCutError, match="maxmemory-clients"):
        stream.fetch(5)


def test_replies_of_a_pipeline(engine):
    engine.execute("SET", "k", b"x" * 100_000)
    limit(engine, "normal 250kb 0 0")
    stream = engine.stream()
    stream.submit([[b"GET", b"k"]] * 10)
    with pytest.raises(carnelian.SessionCutError, match="client-output-buffer-limit normal"):
        while True:
            stream.fetch(0)
    with (
        carnelian.Redis(engine=engine) as client,
        pytest.raises(
            redis.ConnectionError, match="more than client-output-buffer-limit normal allows"
        ),
    ):
        pipe = client.pipeline(transaction=False)
        for _ in range(10):
            pipe.get("k")
        pipe.execute()


def test_the_session_of_a_thread_says_it_once(engine):
    limit(engine, "pubsub 100kb 0 0")
    engine.execute("SUBSCRIBE", "news")
    with engine.session() as other:
        for _ in range(2):
            other.execute("PUBLISH", "news", b"x" * 100_000)
    with pytest.raises(carnelian.SessionCutError):
        engine.execute("PING")
    assert engine.execute("PING") == b"PONG"
    assert engine.execute("PUBSUB", "NUMSUB", "news") == [b"news", 0]


def test_a_session_that_cuts_itself(engine):
    limit(engine, "pubsub 100kb 0 0")
    session = subscribed(engine)
    assert session.execute("PUBLISH", "news", b"x" * 200_000) == 1
    with pytest.raises(carnelian.SessionCutError):
        session.execute("PING")


def test_redis_py_subscribers(engine):
    limit(engine, "pubsub 100kb 0 0")
    client = carnelian.Redis(engine=engine, retry=Retry(NoBackoff(), 0))
    pubsub = client.pubsub()
    pubsub.subscribe("news")
    pubsub.get_message(timeout=1)
    client.publish("news", b"x" * 200_000)
    with pytest.raises(redis.ConnectionError, match="client-output-buffer-limit pubsub allows"):
        pubsub.get_message(timeout=1)
    # As with a server, one that tries again subscribes again; what waited is lost.
    client = carnelian.Redis(engine=engine)
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("news")
    pubsub.get_message(timeout=1)
    client.publish("news", b"x" * 200_000)
    assert pubsub.get_message(timeout=0.1) is None
    client.publish("news", "hello")
    wait_for(lambda: (pubsub.get_message() or {}).get("data") == b"hello")


def test_asyncio_subscribers(engine):
    limit(engine, "pubsub 100kb 0 0")

    async def main() -> None:
        from redis.asyncio.retry import Retry

        client = carnelian.AsyncRedis(engine=engine, retry=Retry(NoBackoff(), 0))
        pubsub = client.pubsub()
        await pubsub.subscribe("news")
        await pubsub.get_message(timeout=1)
        await client.publish("news", b"x" * 200_000)
        with pytest.raises(redis.ConnectionError, match="client-output-buffer-limit pubsub allows"):
            await pubsub.get_message(timeout=1)
        await client.aclose()

    asyncio.run(main())


def test_readers_and_writers_in_threads_lose_no_count(engine):
    session = subscribed(engine)

    def publish() -> None:
        for _ in range(2_000):
            engine.execute("PUBLISH", "news", b"x" * 100)

    writers = [threading.Thread(target=publish) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(6_000):
        assert session.get_message(5) is not None
    for writer in writers:
        writer.join()
    assert line(engine, session)["omem"] == "0"
    assert engine.core.memory_limit.waiting == 0


# -- maxmemory-clients -----------------------------------------------------------------------------


def test_the_largest_goes_first(engine):
    engine.execute("CONFIG", "SET", "maxmemory-clients", "3mb")
    small, large, protected = (subscribed(engine) for _ in range(3))
    protected.execute("CLIENT", "NO-EVICT", "ON")
    small.execute("UNSUBSCRIBE")
    small.execute("SUBSCRIBE", "other")
    engine.execute("PUBLISH", "other", b"x" * MB)
    for _ in range(3):
        engine.execute("PUBLISH", "news", b"x" * MB)
    assert (small.closed, large.closed, protected.closed) == (False, True, False)
    with pytest.raises(carnelian.SessionCutError) as error:
        large.get_message(0)
    assert "when all sessions together took more than maxmemory-clients allows" in str(error.value)
    assert info(engine, "stats", "evicted_clients") == 1
    assert small.get_message(0) == [b"message", b"other", b"x" * MB]


def test_a_transaction_that_grows(engine):
    engine.execute("CONFIG", "SET", "maxmemory-clients", "1mb")
    with engine.session() as session:
        session.execute("MULTI")
        with pytest.raises(carnelian.SessionCutError, match="maxmemory-clients"):
            for _ in range(20):
                session.execute("SET", "k", b"x" * 100_000)
    assert engine.execute("GET", "k") is None


def test_reading_makes_room(engine):
    engine.execute("CONFIG", "SET", "maxmemory-clients", "2mb")
    session = subscribed(engine)
    for _ in range(20):
        engine.execute("PUBLISH", "news", b"x" * MB)
        session.get_message(0)
    assert not session.closed
    engine.execute("CONFIG", "SET", "maxmemory-clients", "0")
    for _ in range(3):
        engine.execute("PUBLISH", "news", b"x" * MB)
    assert not session.closed
    # And on again: what is there already counts.
    engine.execute("CONFIG", "SET", "maxmemory-clients", "2mb")
    assert session.closed


def test_a_share_of_maxmemory():
    with carnelian.Engine(maxmemory="20mb", maxmemory_clients="10%") as engine:
        session = subscribed(engine)
        engine.execute("PUBLISH", "news", b"x" * MB)
        assert not session.closed
        engine.execute("CONFIG", "SET", "maxmemory", "5mb")
        assert session.closed


def test_no_key_goes_while_a_client_can():
    with carnelian.Engine(
        maxmemory="6mb", maxmemory_policy="allkeys-lru", maxmemory_clients="1mb"
    ) as engine:
        for number in range(1000):
            engine.execute("SET", number, b"x" * 1000)
        session = subscribed(engine)
        for _ in range(10):
            engine.execute("PUBLISH", "news", b"x" * MB)
        assert session.closed
        assert engine.execute("DBSIZE") == 1000


def test_counting_is_cheap(engine):
    """What a message costs does not grow with what waits."""
    limit(engine, "pubsub 0 0 0")
    session = subscribed(engine)

    def publish() -> float:
        started = time.process_time()
        for _ in range(20_000):
            engine.execute("PUBLISH", "news", "x")
        return time.process_time() - started

    first = publish()
    publish()
    assert min(publish(), publish()) < 3 * first
    assert line(engine, session)["oll"] == "80000"
