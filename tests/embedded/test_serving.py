"""An embedded engine that clients outside of the process use as well."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest
import redis

import carnelian
from support.servers import require
from support.waiting import free_port, wait_for


@pytest.fixture
def engine():
    with carnelian.Engine() as engine:
        yield engine


def raw(service: carnelian.Service, *pieces: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", service.port or 0), 5)
    for piece in pieces:
        connection.sendall(piece)
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection:
        read = b""
        while piece := connection.recv(65536):
            read += piece
        return read


def test_both_sides_see_one_data_set(engine):
    with engine.serve(port=0) as service:
        assert service.host == "127.0.0.1"
        assert service.url == f"redis://127.0.0.1:{service.port}"
        with redis.Redis.from_url(service.url) as client:
            engine.execute("SET", "k", "from inside")
            assert client.get("k") == b"from inside"
            client.set("k", "from outside")
            assert engine.execute("GET", "k") == b"from outside"
            # What one waits for, the other brings.
            threading.Timer(0.05, engine.execute, ("RPUSH", "q", "a")).start()
            assert client.blpop("q", 5) == (b"q", b"a")
            assert client.blpop("q", 0.02) is None
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            pubsub.subscribe("news")
            wait_for(lambda: engine.execute("PUBSUB", "NUMSUB", "news") == [b"news", 1])
            pubsub.get_message(timeout=1)
            engine.execute("PUBLISH", "news", "hello")
            message = pubsub.get_message(timeout=5)
            assert message is not None and message["data"] == b"hello"
            pubsub.close()
    assert engine.execute("PING") == b"PONG"
    assert service.closed


def test_a_unix_socket(engine, tmp_path):
    path = tmp_path / "s.sock"
    service = engine.serve(unixsocket=path)
    assert service.url == f"unix://{path}"
    assert path.stat().st_mode & 0o777 == 0o600
    with redis.Redis(unix_socket_path=str(path)) as client:
        assert client.client_info()["addr"] == f"{path}:0"
        assert client.client_info()["flags"] == "U"
    with pytest.raises(OSError, match="Address already in use"):
        engine.serve(unixsocket=path)
    service.close()
    service.close()
    assert not path.exists()


def test_what_was_killed_leaves_no_obstacle(engine, tmp_path):
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with engine.serve(unixsocket=path), redis.Redis(unix_socket_path=str(path)) as client:
        assert client.ping()


def test_redis_cli_looks_in(engine):
    require("redis-cli", "redis-tools")
    engine.execute("HSET", "h", "f", "v")
    with engine.serve(port=0) as service:
        done = subprocess.run(
            ["redis-cli", "-p", str(service.port), "hgetall", "h"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.stdout == "f\nv\n"


def test_replies_have_the_form_that_was_agreed_on_before_them(engine):
    engine.execute("HSET", "h", "f", "v")
    with engine.serve(port=0) as service:
        asked = raw(
            service,
            b"HGETALL h\r\nHELLO 3\r\nHGETALL h\r\nRESET\r\nHGETALL h\r\nQUIT\r\n",
        )
        said = read_all(asked)
    assert said.startswith(b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n%7\r\n")
    assert said.endswith(
        b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n+RESET\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n+OK\r\n"
    )


def test_what_is_no_request_ends_the_connection(engine):
    with engine.serve(port=0) as service:
        said = read_all(raw(service, b"SET a 1\r\n*1\r\n+x\r\n"))
        assert said == b"+OK\r\n-ERR Protocol error: expected '$', got '+'\r\n"
        assert engine.execute("GET", "a") == b"1"


def test_pieces_and_pipelines_and_large_values(engine):
    with engine.serve(port=0) as service, redis.Redis(port=service.port) as client:
        large = os.urandom(3_000_000)
        client.set("large", large)
        assert client.get("large") == large
        pipe = client.pipeline(transaction=False)
        for number in range(3000):
            pipe.rpush("l", number)
        assert pipe.execute() == list(range(1, 3001))
        with client.pipeline() as watching:
            watching.watch("l")
            engine.execute("RPUSH", "l", "x")
            watching.multi()
            watching.delete("l")
            with pytest.raises(redis.WatchError):
                watching.execute()


def test_memory_is_counted_once(engine):
    """Whatever runs at the same time: buffers come and go with the connections."""
    engine.execute("SET", "large", b"x" * 1_000_000)

    def used() -> int:
        text = engine.execute("INFO", "memory").decode()
        return int(text.partition("used_memory:")[2].partition("\r\n")[0])

    before = used()
    over = threading.Event()

    def inside() -> None:
        while not over.is_set():
            engine.execute("GETRANGE", "large", 0, 100_000)

    def outside() -> None:
        for _ in range(30):
            with redis.Redis(port=service.port) as client:
                assert client.strlen("large") == 1_000_000
                assert client.get("large") is not None

    with engine.serve(port=0) as service:
        clients = [threading.Thread(target=outside) for _ in range(3)]
        program = threading.Thread(target=inside)
        program.start()
        for each in clients:
            each.start()
        for each in clients:
            each.join(60)
        over.set()
        program.join(60)
        wait_for(lambda: not service.clients)
        assert abs(used() - before) < 100_000


def test_users_log_in():
    with (
        carnelian.Engine(requirepass="secret") as engine,
        engine.serve(port=0) as service,
        redis.Redis(port=service.port, password="secret") as client,
    ):
        assert read_all(raw(service, b"GET k\r\nQUIT\r\n")).startswith(b"-NOAUTH ")
        assert client.ping()
        client.execute_command("ACL SETUSER", "anna", "on", ">pw", "+get", "~a*")
        with redis.Redis(port=service.port, username="anna", password="pw") as anna:
            assert anna.get("a1") is None
            with pytest.raises(redis.ResponseError, match="No permissions to access a key"):
                anna.get("b1")
        # Threads of the program are nobody, and may do everything.
        assert engine.execute("SET", "b1", "x") == b"OK"


def test_protected_mode(engine, monkeypatch):
    from carnelian.embedded.serving import engine_service

    monkeypatch.setattr(engine_service, "_LOOPBACK", ())
    with engine.serve(port=0) as service:
        assert read_all(raw(service)).startswith(b"-DENIED Redis is running in protected mode")
        engine.execute("CONFIG", "SET", "requirepass", "secret")
        assert read_all(raw(service, b"AUTH secret\r\nQUIT\r\n")) == b"+OK\r\n+OK\r\n"


def test_clients_are_shown_and_ended(engine):
    with engine.serve(port=0) as service, redis.Redis(port=service.port) as client:
        client.ping()
        (shown,) = [one for one in client.client_list() if one["addr"] != "embedded:0"]
        assert shown["addr"].startswith("127.0.0.1:")
        assert shown["laddr"] == f"127.0.0.1:{service.port}"
        assert engine.execute("CLIENT", "KILL", "ADDR", shown["addr"]) == 1
        wait_for(lambda: not service.clients)
        info = engine.execute("INFO", "server").decode()
        assert f"tcp_port:{service.port}\r\n" in info
        assert f"name=tcp,bind=127.0.0.1,port={service.port}\r\n" in info
    assert "tcp_port:0\r\n" in engine.execute("INFO", "server").decode()


def test_it_ends_with_the_engine():
    engine = carnelian.Engine()
    service = engine.serve(port=0)
    connection = raw(service, b"BLPOP q 0\r\n")
    wait_for(lambda: engine.execute("INFO", "clients").find(b"blocked_clients:1") > 0)
    engine.close()
    assert service.closed
    assert read_all(connection) == b""
    with pytest.raises(OSError):
        raw(service)
    with pytest.raises(carnelian.EngineClosedError):
        engine.serve(port=0)


def test_a_command_cannot_end_it(engine):
    module = engine.load_module(ending_module(engine))
    with engine.serve(port=0) as service:
        said = read_all(raw(service, b"ENDING.NOW\r\nQUIT\r\n"))
        assert b"an engine cannot be used by its own command" in said
        with pytest.raises(carnelian.Error, match="cannot be used by its own command"):
            engine.execute("ENDING.NOW")
    engine.unload_module(module)


def ending_module(engine):
    """A module whose command closes the engine."""
    module = types.ModuleType("ending")
    module.__dict__["engine"] = engine
    exec(
        """
import carnelian

@carnelian.command("ENDING.NOW", "write")
def ending_now(session, args):
    \"""Ends.\"""
    engine.close()
""",
        module.__dict__,
    )
    return module


def test_an_engine_that_nobody_uses_serves_nobody():
    service = carnelian.Engine().serve(port=0)
    assert service.closed


def test_where_it_cannot_listen(engine, tmp_path):
    with pytest.raises(ValueError, match="a port, a unixsocket, or both"):
        engine.serve()
    with engine.serve(port=0) as service, pytest.raises(OSError, match="Address already in use"):
        engine.serve(port=service.port)
    with pytest.raises(OSError):
        engine.serve(unixsocket=tmp_path / "none" / "s.sock")


def test_a_child_does_not_keep_connections_open(engine, tmp_path):
    """Who waits at the parent's socket hears of its end even while a child is there."""
    port = free_port()
    program = f"""
import carnelian, os, socket, sys, time
engine = carnelian.Engine()
service = engine.serve(port={port})
there = socket.create_connection(("127.0.0.1", {port}))
there.sendall(b"PING\\r\\n")
assert there.recv(10) == b"+PONG\\r\\n"
if os.fork() == 0:
    try:
        engine.execute("PING")
    except carnelian.EngineClosedError:
        there.close()
        os.write(1, b"closed\\n")
        sys.stdin.read()
        time.sleep(5)
        os._exit(0)
os.write(1, b"there\\n")
sys.stdin.read()
os._exit(0)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and parent.stdin is not None
    said = {parent.stdout.readline().strip() for _ in range(2)}
    assert said == {"closed", "there"}
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.sendall(b"PING\r\n")
    assert connection.recv(10) == b"+PONG\r\n"
    parent.stdin.close()
    parent.wait(10)
    assert connection.recv(10) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    parent.stdout.close()


def test_time_that_is_moved_by_hand():
    clock = carnelian.ManualClock()
    with carnelian.Engine(clock=clock) as engine, engine.serve(port=0) as service:
        connection = raw(service, b"BLPOP q 10\r\n")
        wait_for(lambda: engine.execute("INFO", "clients").find(b"blocked_clients:1") > 0)
        clock.advance(10_001)
        assert connection.recv(16) == b"*-1\r\n"
        connection.close()


def test_what_is_asked_for_is_on_the_disk_before_it_is_answered(tmp_path):
    path = str(tmp_path / "app.db")
    with (
        carnelian.Engine(path, appendonly=True, appendfsync="always") as engine,
        engine.serve(port=0) as service,
        redis.Redis(port=service.port) as client,
    ):
        for number in range(20):
            client.rpush("l", number)
        with pytest.raises(carnelian.DatabaseLockedError) as caught:
            carnelian.Engine(path)
        assert caught.value.address == service.url
        assert f"connect to {service.url}, where it serves it" in str(caught.value)
    with carnelian.Engine(path) as engine:
        assert engine.execute("LLEN", "l") == 20


def test_importing_the_engine_imports_no_loop():
    program = (
        "import carnelian, sys, json; carnelian.Engine(); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    for name in ("serving.engine_service", "sharing.shared_path", "engine_backup"):
        assert f"carnelian.embedded.{name}" not in loaded
    assert Path(carnelian.__file__).exists()
