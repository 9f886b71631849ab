"""What stands in for servers in tests: clients and servers in the place of fakeredis's."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest
import redis
import redis.asyncio

import carnelian
from carnelian import testing
from support.waiting import wait_for


@pytest.fixture(autouse=True)
def no_servers():
    yield
    testing.forget_servers()


def test_clients_share_a_server():
    server = testing.FakeServer()
    one = testing.FakeRedis(server=server)
    two = carnelian.Redis(server=server, decode_responses=True, db=0)
    other = testing.FakeStrictRedis(server=server, db=1)
    one.set("k", "v")
    assert two.get("k") == "v"
    assert other.get("k") is None
    assert one.engine is two.engine is server.engine
    one.close()
    assert two.get("k") == "v"
    assert testing.FakeRedis().get("k") is None


def test_data_outlive_the_connections_of_a_client():
    client = testing.FakeRedis()
    client.set("k", "v")
    client.close()
    assert client.get("k") == b"v"


def test_a_server_that_cannot_be_reached():
    server = testing.FakeServer()
    client = testing.FakeRedis(server=server)
    client.set("k", "v")
    pubsub = client.pubsub()
    pubsub.subscribe("c")
    failed: list[Exception] = []

    def wait() -> None:
        try:
            client.blpop("q", timeout=0)
        except redis.ConnectionError as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_for(lambda: b"blocked_clients:1" in server.engine.execute("INFO", "clients"))
    server.connected = False
    waiting.join(10)
    refused = "Error 111 connecting to the server. Connection refused."
    assert [str(error) for error in failed] == [refused]
    pipe: Any = client.pipeline()
    for attempt in (client.ping, lambda: client.get("k"), pipe.get("k").execute):
        with pytest.raises(redis.ConnectionError, match=refused):
            attempt()
    with pytest.raises(redis.ConnectionError):
        testing.FakeRedis(server=server).ping()
    # Who looks at it from inside still can.
    assert server.engine.execute("GET", "k") == b"v"
    server.connected = True
    assert client.get("k") == b"v"
    with pytest.raises(redis.ConnectionError):
        testing.FakeRedis(connected=False).ping()


def test_asyncio():
    server = testing.FakeServer()

    async def main() -> None:
        client: Any = testing.FakeAsyncRedis(server=server, decode_responses=True)
        await client.set("k", "v")
        waiting = asyncio.create_task(client.blpop("q"))
        await asyncio.sleep(0.05)
        server.connected = False
        with pytest.raises(redis.ConnectionError):
            await waiting
        with pytest.raises(redis.ConnectionError):
            await client.get("k")
        server.connected = True
        assert await client.get("k") == "v"
        await client.aclose()
        again = carnelian.AsyncRedis(host="cache")
        await again.set("k", "w")
        assert await testing.FakeAsyncRedis.from_url("redis://cache").get("k") == b"w"
        await again.aclose()

    asyncio.run(main())
    assert testing.FakeRedis(host="cache").get("k") == b"w"


def test_places():
    one = carnelian.Redis(host="localhost")
    one.set("k", "v")
    same = [
        carnelian.Redis(port=6379),
        carnelian.Redis(host="127.0.0.1", port=6379),
        carnelian.Redis.from_url("redis://localhost"),
        carnelian.Redis.from_url("redis://user@LOCALHOST:6379/0?protocol=3", username=None),
        testing.FakeRedis("localhost", 6379, 0),
    ]
    assert [client.get("k") for client in same[:3]] == [b"v"] * 3
    assert same[4].get("k") == b"v"
    for other in (
        carnelian.Redis(host="localhost", port=6380),
        carnelian.Redis(host="example.org"),
        carnelian.Redis(unix_socket_path="/run/redis.sock"),
        carnelian.Redis.from_url("redis://localhost/1"),
        carnelian.Redis(),
    ):
        assert other.get("k") is None
    socket = carnelian.Redis.from_url("unix:///run/redis.sock?db=2")
    socket.set("s", 1)
    assert carnelian.Redis(unix_socket_path="/run/redis.sock", db=2).get("s") == b"1"
    testing.forget_servers()
    assert carnelian.Redis(host="localhost").get("k") is None
    with pytest.raises(redis.ConnectionError):
        one.get("k")


def test_the_first_client_of_a_place_says_what_it_is_like():
    carnelian.Redis(host="cache", maxmemory="5mb")
    assert carnelian.Redis(host="cache").config_get("maxmemory") == {"maxmemory": "5242880"}
    assert carnelian.Redis(host="cache", maxmemory="5mb").ping()
    with pytest.raises(TypeError, match="cache:6379 is there already, without maxmemory='6mb'"):
        carnelian.Redis(host="cache", maxmemory="6mb")


def test_a_child_has_servers_of_its_own():
    client = carnelian.Redis(host="cache")
    client.set("k", "v")
    if (child := os.fork()) == 0:
        status = 1
        try:
            status = 0 if carnelian.Redis(host="cache").get("k") is None else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert client.get("k") == b"v"


@pytest.mark.parametrize("version", [6, (6,), "6", "6.2.14", (6, 2)])
def test_versions(version):
    client = testing.FakeRedis(version=version)
    assert client.info("server")["redis_version"].startswith("6.")
    assert client.lpos("l", "a") is None
    with pytest.raises(redis.ResponseError, match="unknown command 'LMPOP'"):
        client.execute_command("LMPOP", 1, "l", "LEFT")
    with pytest.raises(redis.ResponseError, match="unknown command 'FUNCTION'"):
        client.function_list()
    names = client.command_list() if version == 8 else list(client.command())
    assert "get" in names and "lmpop" not in names
    assert testing.FakeRedis(version="7.0").execute_command("LMPOP", 1, "l", "LEFT") is None


def test_versions_of_one_place_are_servers():
    testing.FakeRedis(host="cache", version=6).set("k", "old")
    assert testing.FakeRedis(host="cache", version=7).get("k") is None
    assert testing.FakeRedis(host="cache", version=6).get("k") == b"old"


def test_what_there_is_not():
    with pytest.raises(ValueError, match="Unsupported server type: dragonfly"):
        testing.FakeServer(server_type="dragonfly")
    with pytest.raises(ValueError, match="'six' is no version of Redis"):
        testing.FakeServer("six")
    with pytest.raises(ValueError, match="have no module 'socket'"):
        testing.FakeRedis(lua_modules={"socket"})
    with pytest.raises(TypeError, match="server is a FakeServer, not str"):
        testing.FakeRedis(server="localhost")
    with pytest.raises(TypeError, match="multiple values for argument 'host'"):
        testing.FakeRedis("localhost", host="cache")
    with pytest.raises(TypeError, match="not two of them"):
        carnelian.Redis(engine=carnelian.Engine(), server=testing.FakeServer())


def test_directives():
    server = testing.FakeServer(config={b"requirepass": b"secret"}, maxmemory="5mb")
    with pytest.raises(redis.AuthenticationError):
        testing.FakeRedis(server=server, protocol=2).ping()
    client = testing.FakeRedis(server=server, password="secret")
    assert client.config_get("maxmemory") == {"maxmemory": "5242880"}
    assert testing.FakeRedis(lua_modules={"cjson"}).eval("return cjson.encode({1})", 0) == b"[1]"


def test_pools():
    server = testing.FakeServer()
    pool = redis.ConnectionPool(connection_class=testing.FakeConnection, server=server)
    redis.Redis(connection_pool=pool).set("k", "v")
    assert testing.FakeRedis(connection_pool=pool).get("k") == b"v"
    assert testing.FakeRedis(server=server).get("k") == b"v"
    named = redis.ConnectionPool.from_url("redis://cache/1", connection_class=carnelian.Connection)
    # A URL decides of the class, so that it is set afterwards.
    named.connection_class = carnelian.Connection
    redis.Redis(connection_pool=named).set("k", "w")
    assert carnelian.Redis(host="cache", db=1).get("k") == b"w"


def test_a_port():
    server = testing.TcpFakeServer(("127.0.0.1", 0), server_version="7.2")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with redis.Redis(*server.server_address) as client:
        assert client.info("server")["redis_version"] == "7.2.0"
        client.set("k", "v")
        server.fake_server.connected = False
        with pytest.raises(redis.ConnectionError):
            client.get("k")
        server.fake_server.connected = True
        assert client.get("k") == b"v"
    assert testing.FakeRedis(server=server.fake_server).get("k") == b"v"
    server.shutdown()
    thread.join(10)
    assert not thread.is_alive()
    server.server_close()


def test_time_that_others_replace(monkeypatch):
    client = testing.FakeRedis()
    monkeypatch.setattr(time, "time", lambda: 1_600_000_000.25)
    assert client.time() == (1_600_000_000, 250_000)
    client.set("k", "v", ex=60)
    assert client.expiretime("k") == 1_600_000_060
    monkeypatch.setattr(time, "time", lambda: 1_600_000_061.0)
    assert client.get("k") is None
    monkeypatch.undo()
    assert abs(client.time()[0] - time.time()) < 5


def test_keys_are_gone_soon():
    client = testing.FakeRedis()
    client.set("k", "v", px=10)
    wait_for(lambda: client.dbsize() == 0)


def test_moving_the_clock():
    server = testing.FakeServer()
    client = testing.FakeRedis(server=server)
    client.set("k", "v", ex=100)
    server.engine.clock.advance(99)
    assert client.ttl("k") == 1
    done: list[object] = []
    waiting = threading.Thread(target=lambda: done.append(client.blpop("q", timeout=3600)))
    waiting.start()
    wait_for(lambda: b"blocked_clients:1" in server.engine.execute("INFO", "clients"))
    server.engine.clock.advance(3600)
    waiting.join(10)
    assert done == [None]
    assert client.dbsize() == 0
    with pytest.raises(ValueError, match="backwards"):
        server.engine.clock.advance(-1)


def test_names_that_fakeredis_has():
    assert issubclass(testing.aioredis.FakeRedis, redis.asyncio.Redis)
    assert testing.aioredis.FakeStrictRedis is testing.FakeAsyncRedis
    server = testing.FakeServer.get_server("cache:6380", (7, 2), "redis")
    assert testing.FakeServer.get_server("cache:6380", (7, 2), "redis") is server
    assert testing.FakeServer.get_server("cache:6380", (6,), "redis") is not server
    testing.FakeRedis(server=server).set("a", 1)
    assert testing.FakeRedis("cache", 6380, version=(7, 2)).get("a") == b"1"
    testing.forget_servers()


def test_names_that_are_not_there_say_what_is():
    with pytest.raises(AttributeError) as error:
        _ = testing.FakeValkey
    assert str(error.value) == (
        "module 'carnelian.testing' has no attribute 'FakeValkey': use "
        "FakeRedis(server_type='valkey')"
    )
    with pytest.raises(AttributeError, match="'FakeBloom'; it has FakeAsyncConnection, "):
        _ = testing.FakeBloom
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        _ = testing.nothing
