"""carnelian.Redis: redis-py's client as its users use it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.utils import str_if_bytes

import carnelian
from carnelian.embedded.client import Connection

WAITING = Path(__file__).with_name("waiting.py")


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        made.load_module(WAITING)
        yield made


@pytest.fixture(params=[(2, False), (2, True), (3, False), (3, True)], ids=str)
def client(request, engine) -> Iterator[carnelian.Redis]:
    protocol, decode = request.param
    with carnelian.Redis(engine=engine, protocol=protocol, decode_responses=decode) as made:
        yield made


def text(client: redis.Redis, value):
    """A text as this client returns it."""
    return value if client.get_encoder().decode_responses else value.encode()


# -- Commands --------------------------------------------------------------------------------------


def test_strings(client):
    assert client.set("k", "v") is True
    assert client.get("k") == text(client, "v")
    assert client["k"] == text(client, "v")
    assert client.set("k", "w", nx=True) is None
    assert client.set("k", "w", get=True) == text(client, "v")
    assert client.append("k", "xy") == 3
    assert client.strlen("k") == 3
    assert client.getrange("k", 1, -1) == text(client, "xy")
    assert client.setrange("k", 1, "__") == 3
    assert client.mset({"a": 1, "b": 2}) is True
    assert client.mget("a", "none", "b") == [text(client, "1"), None, text(client, "2")]
    assert client.incrby("a", 41) == 42
    assert client.incrbyfloat("a", 0.5) == 42.5
    assert client.getdel("a") == text(client, "42.5")
    assert client.getex("b", ex=100) == text(client, "2")
    assert client.ttl("b") == 100
    assert client.setnx("b", 1) is False
    assert client.lcs("k", "k") == text(client, "w__")


def test_binary_values(engine):
    client = carnelian.Redis(engine=engine)
    blob = bytes(range(256)) * 300
    assert client.set(b"\x00\r\n", blob)
    assert client.get(b"\x00\r\n") == blob
    assert client.set("view", memoryview(blob)[10:20])
    assert client.get("view") == blob[10:20]


def test_keys(client):
    client.mset({f"key:{number}": number for number in range(100)})
    assert client.dbsize() == 100
    assert client.exists("key:1", "key:2", "nope") == 2
    assert client.delete("key:1", "nope") == 1
    assert client.unlink("key:2") == 1
    assert client.type("key:3") == text(client, "string")
    assert client.rename("key:3", "three") is True
    assert client.copy("three", "again") is True
    assert client.expire("three", 100) is True
    assert client.expiretime("three") > time.time() + 90
    assert client.persist("three") is True
    assert client.ttl("three") == -1
    assert client.ttl("nope") == -2
    assert client.touch("three") == 1
    assert client.object("encoding", "key:4") == text(client, "int")
    assert sorted(client.keys("key:1?")) == [text(client, f"key:{n}") for n in range(10, 20)]
    assert len(set(client.scan_iter(match=r"key:*", count=7))) == 97
    assert client.move("again", 1) is True
    assert client.randomkey() is not None
    assert client.flushdb() is True
    assert client.dbsize() == 0


def test_server_commands(client):
    assert client.ping() is True
    assert client.echo("hello") == text(client, "hello")
    assert client.info("server")["redis_version"] == carnelian.REDIS_VERSION
    assert client.config_set("maxmemory", "1gb") is True
    assert client.config_get("maxmemory") == {"maxmemory": "1073741824"}
    assert client.time()[0] > 1_700_000_000
    assert client.client_setname("me") is True
    assert str_if_bytes(client.client_getname()) == "me"
    assert client.client_id() > 0
    assert client.client_info()["name"] == "me"
    assert client.command_count() > 80
    assert client.slowlog_reset() is True
    assert client.slowlog_get() == []
    assert client.memory_usage("nope") is None
    assert client.lolwut() is not None


def test_errors(client):
    client.set("k", "v")
    with pytest.raises(redis.ResponseError, match=r"^value is not an integer or out of range$"):
        client.incr("k")
    with pytest.raises(redis.ResponseError, match="unknown command 'NOPE'"):
        client.execute_command("NOPE")
    with pytest.raises(redis.DataError, match="Invalid input of type: 'bool'"):
        client.set("k", True)
    assert client.get("k") == text(client, "v")


def test_never_decode(engine):
    client = carnelian.Redis(engine=engine, decode_responses=True)
    client.set("k", b"\xff")
    with pytest.raises(UnicodeDecodeError):
        client.get("k")
    assert client.execute_command("GET", "k", NEVER_DECODE=True) == b"\xff"
    lax = carnelian.Redis(engine=engine, decode_responses=True, encoding_errors="replace")
    assert lax.get("k") == "�"


# -- Transactions and pipelines --------------------------------------------------------------------


def test_pipelines(client):
    with client.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.set(f"k{number}", number)
            pipe.incr(f"k{number}")
        assert pipe.execute() == [True if n % 2 == 0 else n // 2 + 1 for n in range(1000)]
        pipe.set("a", "x").incr("a").get("a")
        result = pipe.execute(raise_on_error=False)
        assert result[0] is True
        assert isinstance(result[1], redis.ResponseError)
        assert result[2] == text(client, "x")


def test_transactions(client):
    with client.pipeline() as pipe:
        assert pipe.set("n", 1).incr("n").get("n").execute() == [True, 2, text(client, "2")]
        pipe.set("k", "x").incr("k").set("after", 1)
        with pytest.raises(redis.ResponseError, match="value is not an integer"):
            pipe.execute()
        assert client.get("after") == text(client, "1")
        pipe.execute_command("NOPE")
        pipe.set("never", 1)
        with pytest.raises(redis.ResponseError, match="unknown command"):
            pipe.execute()
        assert client.get("never") is None


def test_watch(client):
    client.set("n", 1)
    with client.pipeline() as pipe:
        pipe.watch("n")
        value = int(pipe.get("n"))
        client.set("n", 10)
        pipe.multi()
        pipe.set("n", value + 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert client.get("n") == text(client, "10")


def test_transaction_helper(client):
    client.set("n", 1)
    tries: list[int] = []

    def work(pipe):
        value = int(pipe.get("n"))
        if not tries:
            client.incr("n")
        tries.append(value)
        pipe.multi()
        pipe.set("n", value * 10)

    assert client.transaction(work, "n") == [True]
    assert tries == [1, 2]
    assert client.get("n") == text(client, "20")


# -- Pub/sub ---------------------------------------------------------------------------------------


def test_pubsub(client):
    with client.pubsub() as pubsub:
        pubsub.subscribe("a")
        pubsub.psubscribe("x*")
        assert pubsub.get_message(timeout=1)["type"] == "subscribe"
        assert pubsub.get_message(timeout=1)["type"] == "psubscribe"
        assert client.publish("a", "one") == 1
        assert client.publish("xyz", "two") == 1
        assert pubsub.get_message(timeout=1) == {
            "type": "message", "pattern": None,
            "channel": text(client, "a"), "data": text(client, "one"),
        }  # fmt: skip
        assert pubsub.get_message(timeout=1) == {
            "type": "pmessage", "pattern": text(client, "x*"),
            "channel": text(client, "xyz"), "data": text(client, "two"),
        }  # fmt: skip
        assert pubsub.get_message() is None
        assert pubsub.get_message(timeout=0.01) is None
        assert client.pubsub_numsub("a") == [(text(client, "a"), 1)]
        pubsub.unsubscribe()
        pubsub.punsubscribe()
        assert pubsub.get_message(timeout=1)["type"] == "unsubscribe"
        assert pubsub.get_message(timeout=1)["type"] == "punsubscribe"
        assert client.publish("a", "three") == 0


def test_shard_channels(client):
    with client.pubsub() as pubsub:
        pubsub.ssubscribe("s")
        assert pubsub.get_message(timeout=1)["type"] == "ssubscribe"
        assert client.spublish("s", "m") == 1
        assert pubsub.get_message(timeout=1)["data"] == text(client, "m")


def test_listen(client):
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("a")
    threading.Timer(0.02, client.publish, ("a", "x")).start()
    assert next(m for m in pubsub.listen() if m)["data"] == text(client, "x")
    pubsub.close()


def test_run_in_thread(client):
    got = threading.Event()
    messages = []

    def handler(message):
        messages.append(message["data"])
        got.set()

    pubsub = client.pubsub()
    pubsub.subscribe(a=handler)
    worker = pubsub.run_in_thread(sleep_time=0.01, daemon=True)
    client.publish("a", "x")
    assert got.wait(30)
    worker.stop()
    worker.join(30)
    assert messages == [text(client, "x")]


def test_subscriptions_survive_a_lost_connection(client):
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("a")
    assert pubsub.get_message(timeout=1) is None
    assert client.client_kill_filter(_type="pubsub") == 1
    deadline = time.monotonic() + 30
    while client.publish("a", "x") == 0 and time.monotonic() < deadline:
        pubsub.get_message(timeout=0.01)
    message = None
    while message is None:
        message = pubsub.get_message(timeout=1)
    assert message["data"] == text(client, "x")
    pubsub.close()


def test_monitor(client):
    client.ping()
    with client.monitor() as monitor:
        client.set("k", "v")
        # The client connects once more, since the first connection listens.
        seen = [monitor.next_command()]
        while not seen[-1]["command"].startswith("SET"):
            seen.append(monitor.next_command())
        assert (seen[-1]["command"], seen[-1]["db"]) == ("SET k v", 0)


# -- Blocking --------------------------------------------------------------------------------------


def test_blocking_commands_wait(client):
    threading.Timer(0.02, client.set, ("k", "v")).start()
    assert client.execute_command("WAITKEY", "k", 0) == text(client, "v")
    assert client.exists("k") == 0
    assert client.execute_command("WAITKEY", "k", 10) is None


def test_socket_timeout_is_kept(engine):
    client = carnelian.Redis(engine=engine, socket_timeout=0.02, retry=None)
    with pytest.raises(redis.TimeoutError, match="Timeout reading from the embedded engine"):
        client.execute_command("WAITKEY", "k", 0)
    assert engine.core.blocking.count == 0
    assert client.ping()


def test_a_waiting_command_is_unblocked(client):
    other = carnelian.Redis(connection_pool=client.connection_pool)
    ids: list[int] = []

    def unblock():
        while not ids or not other.client_unblock(ids[0]):
            time.sleep(0.005)

    with client.client() as single:
        ids.append(single.client_id())
        threading.Thread(target=unblock).start()
        assert single.execute_command("WAITKEY", "k", 0) is None


# -- Connections -----------------------------------------------------------------------------------


def test_threads_share_a_client(client):
    def work(number):
        for _ in range(100):
            client.incr("n")
            client.set(f"k{number}", number)
            assert client.get(f"k{number}") == text(client, str(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert client.get("n") == text(client, "1600")


def test_a_killed_connection_is_replaced(client):
    assert client.set("k", "v")
    assert client.client_kill_filter(skipme=False) >= 1
    assert client.get("k") == text(client, "v")


def test_databases_names_and_health_checks(engine):
    client = carnelian.Redis(engine=engine, db=3, client_name="worker", health_check_interval=1)
    client.set("k", "v")
    assert engine.execute("EXISTS", "k") == 0
    engine.execute("SELECT", 3)
    assert engine.execute("GET", "k") == b"v"
    assert client.client_getname() == "worker"
    info = client.client_info()
    assert (info["db"], info["lib-name"]) == (3, "redis-py")
    connection = client.connection_pool.get_connection()
    connection.next_health_check = 0
    connection.send_command("GET", "k")
    assert connection.read_response() == b"v"
    assert connection.next_health_check > 0
    client.connection_pool.release(connection)


def test_a_password():
    with carnelian.Engine(requirepass="secret") as engine:
        with pytest.raises(redis.AuthenticationError):
            carnelian.Redis(engine=engine).ping()
        with pytest.raises(redis.AuthenticationError):
            carnelian.Redis(engine=engine, password="wrong").ping()
        for protocol in (2, 3):
            assert carnelian.Redis(engine=engine, password="secret", protocol=protocol).ping()


def test_the_handshake_is_that_of_a_redis(engine):
    connection = Connection(engine=engine)
    connection.connect()
    hello: Any = connection.handshake_metadata
    assert (hello[b"server"], hello[b"proto"]) == (b"redis", 3)
    assert hello[b"version"].decode() == carnelian.REDIS_VERSION
    assert "engine=" in repr(connection)
    connection.disconnect()
    assert len(engine.core.sessions) == 0


def test_pools_of_ones_own(engine):
    pool = redis.BlockingConnectionPool(connection_class=Connection, engine=engine, timeout=5)
    with redis.Redis(connection_pool=pool) as client:
        assert client.set("k", "v") and client.get("k") == b"v"
    url = redis.ConnectionPool.from_url(
        "unix:///no/such/file?db=2", connection_class=Connection, engine=engine
    )
    with redis.Redis(connection_pool=url) as client:
        assert client.get("k") is None


def test_the_connection_has_a_descriptor(engine):
    import select

    client = carnelian.Redis(engine=engine)
    connection = client.connection_pool.get_connection()
    channel: Any = connection._sock
    fileno = channel.fileno()
    assert select.select([fileno], [], [], 0)[0] == []
    connection.send_command("PING")
    assert select.select([fileno], [], [], 0)[0] == [fileno]
    assert connection.read_response() == b"PONG"
    assert select.select([fileno], [], [], 0)[0] == []
    client.connection_pool.release(connection)


# -- Engines and arguments -------------------------------------------------------------------------


def test_clients_have_an_engine_of_their_own_unless_they_share_one():
    with carnelian.Redis() as one, carnelian.Redis() as two:
        one.set("k", "v")
        assert two.get("k") is None
        shared = carnelian.Redis(engine=one.engine)
        assert shared.get("k") == b"v"
        shared.close()
        assert one.get("k") == b"v"
        own = one.engine
    assert own.closed
    with pytest.raises(redis.ConnectionError, match="the engine is closed"):
        one.get("k")


def test_a_pipeline_outlives_its_client():
    pipe: Any = carnelian.Redis().pipeline()
    assert pipe.set("k", "v").get("k").execute() == [True, b"v"]


def test_arguments_of_sockets_are_not_used():
    with carnelian.Redis(host="example.org", port=1, ssl=True, ssl_ca_certs="x", db=1) as client:
        assert client.set("k", "v")
    with carnelian.Redis.from_url("redis://example.org:1/2?decode_responses=true") as client:
        assert client.set("k", "v") and client.get("k") == "v"
        assert client.client_info()["db"] == 2
    with pytest.raises(TypeError, match="unexpected keyword argument 'sokcet_timeout'"):
        carnelian.Redis(sokcet_timeout=1)  # type: ignore[call-arg]


def test_the_clock_moves_for_clients_too():
    clock = carnelian.ManualClock()
    with carnelian.Engine(clock=clock) as engine:
        client = carnelian.Redis(engine=engine)
        client.set("k", "v", ex=60)
        clock.advance(59_999)
        assert client.get("k") == b"v"
        clock.advance(2)
        assert client.get("k") is None


def test_a_missing_redis_py_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "carnelian.embedded.client")
    monkeypatch.delitem(vars(carnelian), "Redis", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'redis>=8,<9'"):
        carnelian.Redis  # noqa: B018
