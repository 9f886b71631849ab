"""The short way of plain commands through redis-py clients, and what goes the long way."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any
from unittest import mock

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.event import AfterConnectionReleasedEvent, EventDispatcher, EventListenerInterface
from redis.observability import providers, recorder
from redis.retry import Retry

import carnelian
from carnelian.embedded.client import Connection

LONG = {"call_with_retry"}


class Calls:
    """Counts the calls of functions of redis-py by name, without patching any."""

    def __init__(self, *names: str):
        self.counts = dict.fromkeys(names, 0)

    def __enter__(self) -> Calls:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        sys.setprofile(None)

    def _note(self, frame, event, arg) -> None:
        if event == "call" and frame.f_code.co_name in self.counts:
            self.counts[frame.f_code.co_name] += 1

    def __getitem__(self, name: str) -> int:
        return self.counts[name]


def is_short(function, *args, **kwargs) -> bool:
    with Calls(*LONG) as calls:
        function(*args, **kwargs)
    return calls["call_with_retry"] == 0


@pytest.fixture
def engine():
    with carnelian.Engine() as engine:
        yield engine


@pytest.fixture
def r(engine):
    with carnelian.Redis(engine=engine) as client:
        client.ping()
        yield client


class ManyArguments:
    """One of each type that redis-py takes as an argument."""

    values = (b"b", "text ä", 7, -3, 1.5, 1e300, bytearray(b"ba"), memoryview(b"mv"), "")


# -- What is the same ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"protocol": 2}, {"decode_responses": True}])
@pytest.mark.parametrize("single", [False, True])
def test_replies_are_those_of_the_long_way(engine, options, single):
    short = carnelian.Redis(engine=engine, single_connection_client=single, **options)
    long = carnelian.Redis(engine=engine, health_check_interval=1, **options)
    short.ping()

    def use(client) -> list:
        client.flushdb()
        found = [
            client.set("k", "v"),
            client.get("k"),
            client.get("none"),
            client.incr("n"),
            client.hset("h", mapping={"f": "v", "g": 2}),
            client.hgetall("h"),
            client.zadd("z", {"a": 1.5}),
            client.zrange("z", 0, -1, withscores=True),
            client.zscore("z", "a"),
            client.sadd("s", "a"),
            client.smembers("s"),
            client.config_get("hz"),
            client.execute_command("config get", "hz"),
            client.execute_command("GET", "k", keys=["k"]),
            client.exists("k", "none"),
            client.ttl("k"),
            client.type("k"),
            client.object("encoding", "k"),
            client.sismember("s", "a"),
            client.dump("none"),
            client.command_count() > 0,
            client.mget("k", "none"),
            client.set("k", "w", get=True),
            client.rpush("l", *ManyArguments.values),
            client.lrange("l", 0, -1),
        ]
        with pytest.raises(redis.ResponseError) as error:
            client.incr("l")
        found.append((type(error.value), str(error.value)))
        with pytest.raises(redis.ResponseError) as error:
            client.execute_command("NONESUCH")
        found.append((type(error.value), str(error.value)))
        for wrong in (None, True, object):
            with pytest.raises(redis.DataError) as refusal:
                client.set("k", wrong)
            found.append(str(refusal.value))
        return found

    assert use(short) == use(long)
    assert is_short(short.get, "k")
    assert not is_short(long.get, "k")
    with Calls(*LONG) as calls:
        use(short)
    # DUMP reads its reply in its own way.
    assert calls["call_with_retry"] == 1
    short.close()
    long.close()


def test_other_encodings(engine):
    with carnelian.Redis(engine=engine, encoding="latin-1", decode_responses=True) as client:
        client.set("k", "ä")
        assert engine.execute("GET", "k") == b"\xe4"
        assert client.get("k") == "ä"
        assert is_short(client.get, "k")
        with pytest.raises(UnicodeEncodeError):
            client.set("k", "€")


def test_a_client_of_its_own_database_name_and_user(engine):
    engine.execute("CONFIG", "SET", "requirepass", "secret")
    with carnelian.Redis(
        engine=engine, db=3, client_name="me", username="default", password="secret"
    ) as client:
        client.set("k", "v")
        assert is_short(client.get, "k")
        assert client.client_getname() == "me"
        assert client.client_info()["db"] == 3
    assert engine.session(db=3).execute("GET", "k") == b"v"


def test_commands_take_connections_in_turn_and_give_them_back(r):
    pool = r.connection_pool
    assert is_short(r.get, "k")
    assert (len(pool._available_connections), len(pool._in_use_connections)) == (1, 0)
    with pytest.raises(redis.ResponseError):
        r.execute_command("NONESUCH")
    assert (len(pool._available_connections), len(pool._in_use_connections)) == (1, 0)


def test_every_thread_has_a_session_of_its_own_while_it_waits(engine):
    with carnelian.Redis(engine=engine, max_connections=2) as client:
        client.ping()
        waiting = threading.Thread(target=client.blpop, args=(["q"], 0))
        waiting.start()
        while not engine.core.blocking.count:
            pass
        assert client.client_id() != client.client_list()[0]["id"]
        other = threading.Thread(target=client.blpop, args=(["q"], 0))
        other.start()
        while engine.core.blocking.count < 2:
            pass
        with pytest.raises(redis.exceptions.MaxConnectionsError):
            client.get("k")
        engine.execute("RPUSH", "q", "a", "b")
        waiting.join()
        other.join()
        assert is_short(client.get, "k")


def test_threads_share_a_client(r):
    def count() -> None:
        for _ in range(500):
            r.incr("n")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("n") == b"2000"
    assert len(r.connection_pool._in_use_connections) == 0


# -- What sends a command the long way -------------------------------------------------------------


def test_callbacks_that_a_user_sets(r):
    r.set("k", "v")
    r.set_response_callback("GET", lambda reply, **options: (reply, options))
    assert r.get("k") == (b"v", {})
    assert r.execute_command("get", "k", flavour=1) == (b"v", {"flavour": 1})
    r.response_callbacks = {}
    assert not is_short(r.get, "k")


def test_subclasses(engine):
    class Parsing(carnelian.Redis):
        def parse_response(self, connection, command_name, **options):
            return command_name, super().parse_response(connection, command_name, **options)

    class Executing(carnelian.Redis):
        def execute_command(self, *args, **options):
            return "mine", super().execute_command(*args, **options)

    with Parsing(engine=engine) as client:
        assert client.get("k") == ("GET", None)
    with Executing(engine=engine) as client:
        client.ping()
        assert client.get("k") == ("mine", None)
        assert is_short(client.get, "k")


def test_what_is_patched(r):
    r.set("k", "v")
    with mock.patch.object(r, "parse_response", return_value="mine"):
        assert r.get("k") == "mine"
    for owner in (Connection, redis.connection.AbstractConnection):
        read = owner.read_response
        with mock.patch.object(owner, "read_response", autospec=True, side_effect=read) as patched:
            assert r.get("k") == b"v"
        assert patched.called
    with mock.patch.object(redis.Redis, "execute_command", return_value="mine"):
        assert r.get("k") == "mine"
    with mock.patch.object(redis.Redis, "parse_response", return_value="mine"):
        assert r.get("k") == "mine"
    failing = mock.patch.object(r.connection_pool, "get_connection", side_effect=KeyError("mine"))
    with failing, pytest.raises(KeyError, match="mine"):
        r.get("k")
    assert r.get("k") == b"v"
    assert is_short(r.get, "k")


def test_pools_of_other_kinds(engine):
    blocking = redis.BlockingConnectionPool(connection_class=Connection, engine=engine)
    with carnelian.Redis(connection_pool=blocking) as client:
        client.ping()
        assert not is_short(client.get, "k")
    pool = redis.ConnectionPool(connection_class=Connection, engine=engine)
    for client in (
        carnelian.Redis(connection_pool=pool),
        carnelian.Redis.from_pool(pool),
        carnelian.Redis(connection_pool=pool).client(),
    ):
        client.ping()
        assert is_short(client.get, "k")


def test_listeners_for_connections_that_are_given_back(engine):
    class Listener(EventListenerInterface):
        heard = 0

        def listen(self, event: object) -> None:
            self.heard += 1

    listener = Listener()
    dispatcher = EventDispatcher({AfterConnectionReleasedEvent: [listener]})
    pool = redis.ConnectionPool(
        connection_class=Connection, engine=engine, event_dispatcher=dispatcher
    )
    client = carnelian.Redis(connection_pool=pool)
    for _ in range(3):
        client.get("k")
    assert listener.heard == 3


def test_measurements(r, monkeypatch):
    assert is_short(r.get, "k")
    collector = mock.Mock()
    monkeypatch.setattr(recorder, "_metrics_collector", collector)
    r.get("k")
    assert collector.record_operation_duration.call_count == 1
    monkeypatch.undo()
    monkeypatch.setattr(providers.get_observability_instance(), "_provider_manager", mock.Mock())
    assert not is_short(r.get, "k")


def test_connections_that_are_marked_or_checked(r):
    r.connection_pool._available_connections[0].mark_for_reconnect()
    assert not is_short(r.get, "k")
    assert is_short(r.get, "k")
    # With a token, a connection is to say who it is before it is used again.
    connection = r.connection_pool._available_connections[0]
    connection.set_re_auth_token(mock.Mock(try_get=lambda name: "default", get_value=lambda: "x"))
    assert not is_short(r.get, "k")
    assert connection._re_auth_token is None
    assert is_short(r.get, "k")


# -- What ends, and what waits ---------------------------------------------------------------------


def test_a_connection_that_was_killed(r):
    r.set("k", "v")
    for session in r.connection_pool._available_connections:
        r.engine.execute("CLIENT", "KILL", "ID", session._sock.id)
    assert r.get("k") == b"v"
    assert is_short(r.get, "k")


def test_a_client_that_ends_itself(r):
    r.set("k", "v")
    assert r.quit() is True
    assert r.get("k") == b"v"
    assert r.client_kill_filter(_id=r.client_id(), skipme=False) == 1
    assert r.get("k") == b"v"


def test_a_closed_engine(r):
    r.engine.close()
    with pytest.raises(redis.ConnectionError, match="the engine is closed"):
        r.get("k")


def test_errors_that_a_retry_is_for(engine):
    retry = Retry(NoBackoff(), 2, supported_errors=(redis.ResponseError,))

    with carnelian.Redis(engine=engine, retry=retry) as client:
        client.ping()
        with (
            mock.patch.object(client, "_close_connection") as closed,
            pytest.raises(redis.ResponseError, match="not an integer"),
        ):
            client.execute_command("EXPIRE", "k", "x")
        assert [call.args[2] for call in closed.call_args_list] == [1, 2, 3]
    stats = engine.execute("INFO", "commandstats").decode()
    assert "cmdstat_expire:calls=3," in stats


def test_refusals_that_end_a_connection_are_tried_again(engine):
    with carnelian.Redis(engine=engine) as client:
        client.ping()
        engine.execute("CONFIG", "SET", "requirepass", "secret")
        client.execute_command("RESET")
        with Calls("_close_connection") as calls, pytest.raises(redis.AuthenticationError):
            client.get("k")
        assert calls["_close_connection"] == 4


def test_waiting_ends_when_the_timeout_of_the_client_says_so(engine):
    with carnelian.Redis(engine=engine, socket_timeout=0.02, retry=Retry(NoBackoff(), 0)) as client:
        client.ping()
        with pytest.raises(redis.TimeoutError):
            client.blpop("q", 0)
        assert engine.core.blocking.count == 0
        assert client.get("k") is None


def test_replies_that_are_switched_off(engine):
    with carnelian.Redis(engine=engine, socket_timeout=0.02, retry=Retry(NoBackoff(), 0)) as client:
        client.ping()
        with pytest.raises(redis.TimeoutError):
            client.client_reply("OFF")
        assert client.get("k") is None


def test_subscriptions_of_a_client_itself(engine):
    with carnelian.Redis(engine=engine, protocol=2) as client:
        assert client.execute_command("SUBSCRIBE", "news") == [b"subscribe", b"news", 1]
        with pytest.raises(redis.ResponseError, match="Can't execute 'get'"):
            client.get("k")
        engine.execute("PUBLISH", "news", "hello")
        # What was not asked for ends a connection of the pool.
        assert client.get("k") is None


TWICE = """
import carnelian

@carnelian.command("TWICE")
def twice(session, args):
    try:
        session.engine.facts["client"].get("k")
    except RuntimeError as error:
        return str(error)
"""


def test_a_command_that_is_refused_from_within_a_command(engine, tmp_path):
    client = carnelian.Redis(engine=engine)
    client.ping()
    (tmp_path / "twice.py").write_text(TWICE)
    engine.load_module(tmp_path / "twice.py")
    engine.core.facts["client"] = client
    refusal = b"an engine cannot be used by its own command: see session.call"
    assert engine.execute("TWICE") == refusal
    assert client.get("k") is None
    assert len(client.connection_pool._in_use_connections) == 0


# -- With asyncio ----------------------------------------------------------------------------------


def run_short(client, *args) -> bool:
    return is_short(lambda: _drive(client.execute_command(*args)))


def _drive(coroutine):
    """Run what should not have to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("it waits")


@pytest.mark.parametrize("single", [False, True])
def test_asyncio_replies(engine, single):
    async def main() -> None:
        client: Any = carnelian.AsyncRedis(engine=engine, single_connection_client=single)
        assert await client.set("k", "v") is True
        assert await client.get("k") == b"v"
        assert await client.hset("h", "f", "v") == 1
        assert await client.hgetall("h") == {b"f": b"v"}
        with pytest.raises(redis.ResponseError, match="not an integer"):
            await client.incr("k")
        with pytest.raises(redis.DataError):
            await client.set("k", None)
        with Calls(*LONG) as calls:
            for _ in range(50):
                await client.get("k")
        assert calls["call_with_retry"] == 0
        await client.aclose()

    asyncio.run(main())


def test_asyncio_callbacks_may_be_awaited(engine):
    async def callback(reply, **options):
        await asyncio.sleep(0)
        return (reply, "later")

    async def main() -> None:
        client: Any = carnelian.AsyncRedis(engine=engine)
        async with client:
            await client.ping()
            client.set_response_callback("GET", callback)
            assert await client.get("k") == (None, "later")

    asyncio.run(main())


def test_asyncio_patches_and_subclasses(engine):
    class Parsing(carnelian.AsyncRedis):
        async def parse_response(self, connection, command_name, **options):
            return command_name, await super().parse_response(connection, command_name, **options)

    async def main() -> None:
        async with Parsing(engine=engine) as parsing:
            assert await parsing.get("k") == ("GET", None)
        client: Any = carnelian.AsyncRedis(engine=engine)
        async with client:
            await client.ping()

            async def wrapped(self, *args, **options):
                return "mine"

            with mock.patch.object(redis.asyncio.Redis, "execute_command", wrapped):
                assert await client.get("k") == "mine"
            assert await client.get("k") is None

    asyncio.run(main())


def test_asyncio_waiting_and_cancelling(engine):
    async def main() -> None:
        client: Any = carnelian.AsyncRedis(engine=engine)
        async with client:
            await client.ping()
            task = asyncio.create_task(client.blpop("q", 0))
            await asyncio.sleep(0.01)
            assert await client.get("k") is None
            await client.rpush("q", "a")
            assert await task == (b"q", b"a")
            task = asyncio.create_task(client.blpop("q", 0))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert engine.core.blocking.count == 0
            assert await client.rpush("q", "b") == 1
            assert len(client.connection_pool._in_use_connections) == 0

    asyncio.run(main())


def test_asyncio_lets_others_run(engine):
    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        client: Any = carnelian.AsyncRedis(engine=engine)
        async with client:
            task = asyncio.create_task(other())
            for _ in range(20_000):
                await client.get("k")
            task.cancel()
        return turns

    assert asyncio.run(main()) > 5


def test_asyncio_killed_and_closed(engine):
    async def main() -> None:
        client: Any = carnelian.AsyncRedis(engine=engine)
        await client.set("k", "v")
        await client.execute_command("CLIENT", "KILL", "ID", await client.client_id())
        assert await client.get("k") == b"v"
        engine.close()
        with pytest.raises(redis.ConnectionError, match="the engine is closed"):
            await client.get("k")

    asyncio.run(main())


def test_asyncio_polling_without_waiting(engine):
    async def main() -> None:
        client: Any = carnelian.AsyncRedis(engine=engine)
        pubsub = client.pubsub()
        await pubsub.subscribe("a", "b", "c")
        found = []
        for _ in range(4):
            # Longer than a task is to keep the others waiting.
            await asyncio.sleep(0.003)
            found.append(await pubsub.get_message(timeout=0))
        assert [one and one["data"] for one in found] == [1, 2, 3, None]
        await client.aclose()

    asyncio.run(main())
