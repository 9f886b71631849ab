"""MIGRATE: between two servers, and to and from redis-server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from support.servers import ReferenceServer
from support.waiting import TIMEOUT, free_port

from .peers import Client, ServerProcess

NO_ANSWER = b"-IOERR error or timeout reading to target instance"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    servers = [
        ServerProcess(tmp_path_factory.mktemp(f"server-{number}"), "--save", "")
        for number in range(2)
    ]
    for server in servers:
        server.wait_until_ready()
    yield servers[0], servers[1]
    for server in servers:
        server.stop()


@pytest.fixture
def source(pair: tuple[ServerProcess, ServerProcess]) -> Client:
    client = pair[0].connect()
    client.call("FLUSHALL")
    return client


@pytest.fixture
def target(pair: tuple[ServerProcess, ServerProcess]) -> Client:
    client = pair[1].connect()
    client.call("FLUSHALL")
    return client


@pytest.fixture
def port(pair: tuple[ServerProcess, ServerProcess]) -> int:
    return pair[1].port


def test_a_key_moves(source: Client, target: Client, port: int):
    source.call("RPUSH", "list", *range(1000))
    assert source.call("MIGRATE", "127.0.0.1", port, "list", 0, 5000) == b"+OK"
    assert source.call("EXISTS", "list") == 0
    assert target.call("LRANGE", "list", 0, -1) == [b"%d" % n for n in range(1000)]


def test_big_values(source: Client, target: Client, port: int):
    value = b"v" * 5_000_000
    source.call("SET", "big", value)
    assert source.call("MIGRATE", "127.0.0.1", port, "big", 0, 5000) == b"+OK"
    assert target.call("GET", "big") == value


def test_expiry_and_database(source: Client, target: Client, port: int):
    source.call("SET", "key", "value", "PX", 100_000)
    assert source.call("MIGRATE", "127.0.0.1", port, "key", 9, 5000) == b"+OK"
    assert target.call("EXISTS", "key") == 0
    target.call("SELECT", 9)
    assert 50_000 < target.call("PTTL", "key") <= 100_000
    # The same connection, another database.
    source.call("SET", "key", "other")
    assert source.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000) == b"+OK"
    target.call("SELECT", 0)
    assert target.call("GET", "key") == b"other"
    assert target.call("PTTL", "key") == -1


def test_copy_and_replace(source: Client, target: Client, port: int):
    source.call("SET", "key", "value")
    assert source.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000, "COPY") == b"+OK"
    assert source.call("GET", "key") == b"value"
    assert source.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000) == (
        b"-ERR Target instance replied with error: BUSYKEY Target key name already exists."
    )
    assert source.call("GET", "key") == b"value"
    source.call("SET", "key", "newer")
    assert source.call("MIGRATE", "127.0.0.1", port, "key", 0, 5000, "replace") == b"+OK"
    assert target.call("GET", "key") == b"newer"


def test_several_keys(source: Client, target: Client, port: int):
    source.call("MSET", "a", 1, "b", 2, "c", 3)
    target.call("SET", "b", "there")
    reply = source.call("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", "a", "no", "b", "c")
    assert reply.startswith(b"-ERR Target instance replied with error: BUSYKEY")
    # Those that the other side took are gone.
    assert source.call("MGET", "a", "b", "c") == [None, b"2", None]
    assert target.call("MGET", "a", "b", "c") == [b"1", b"there", b"3"]


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("h", 1, "no", 0, 1), b"+NOKEY"),
        (("h", 1, "", 0, 1, "KEYS", "no"), b"+NOKEY"),
        (("h", 1, "", 0, 1), b"+NOKEY"),
        (("h", 1, "key", 0, 1, "AUTH"), b"-ERR syntax error"),
        (("h", 1, "key", 0, 1, "AUTH2", "user"), b"-ERR syntax error"),
        (("h", 1, "key", 0, 1, "FOO"), b"-ERR syntax error"),
        (("h", 1, "key", "x", 1), b"-ERR value is not an integer or out of range"),
        (("h", 1, "key", 0, "x"), b"-ERR value is not an integer or out of range"),
        (
            ("h", 1, "key", 0, 1, "KEYS", "key"),
            b"-ERR When using MIGRATE KEYS option, the key argument must be set to the empty "
            b"string",
        ),
        (("h", 1, "key", 0), b"-ERR wrong number of arguments for 'migrate' command"),
        (
            ("no-such-host.invalid", 1, "key", 0, 100),
            b"-IOERR error or timeout connecting to the client",
        ),
        (
            ("127.0.0.1", "port", "key", 0, 100),
            b"-IOERR error or timeout writing to target instance",
        ),
    ],
)
def test_replies(source: Client, words: tuple, reply: bytes):
    source.call("SET", "key", "value")
    assert source.call("MIGRATE", *words) == reply
    assert source.call("GET", "key") == b"value"


def test_nobody_there(source: Client):
    source.call("SET", "key", "value")
    assert source.call("MIGRATE", "127.0.0.1", free_port(), "key", 0, 100) == (
        b"-IOERR error or timeout writing to target instance"
    )


def test_somebody_who_does_not_answer(source: Client):
    source.call("SET", "key", "value")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        begun = time.monotonic()
        reply = source.call("MIGRATE", "127.0.0.1", deaf.getsockname()[1], "key", 0, 300)
        assert reply == NO_ANSWER
        assert 0.2 < time.monotonic() - begun < 5
    assert source.call("GET", "key") == b"value"


@pytest.mark.parametrize("piece", [b"+", b"+" + b"x" * 65536])
def test_somebody_who_never_comes_to_the_end_of_a_line(source: Client, piece: bytes):
    source.call("SET", "key", "value")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)

        def talk() -> None:
            sock, _ = server.accept()
            with sock, contextlib.suppress(OSError):
                while True:
                    sock.sendall(piece)
                    time.sleep(0.05)

        thread = threading.Thread(target=talk)
        thread.start()
        begun = time.monotonic()
        reply = source.call("MIGRATE", "127.0.0.1", server.getsockname()[1], "key", 0, 300)
        assert time.monotonic() - begun < 5
        thread.join()
    assert reply == NO_ANSWER
    assert source.call("GET", "key") == b"value"


def test_what_was_taken_before_the_end_is_gone(source: Client):
    """The other side takes one key and hangs up."""
    source.call("MSET", "a", 1, "b", 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)

        def take_one() -> None:
            sock, _ = server.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"+OK\r\n+OK\r\n")

        thread = threading.Thread(target=take_one)
        thread.start()
        port = server.getsockname()[1]
        reply = source.call("MIGRATE", "127.0.0.1", port, "", 0, 500, "KEYS", "a", "b")
        thread.join()
    assert reply == NO_ANSWER
    assert source.call("MGET", "a", "b") == [None, b"2"]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_what_was_taken_is_gone_however_the_replies_come(source: Client, size: int):
    """The other side takes all but two of the keys, and says so in pieces."""
    names = [f"key-{number}" for number in range(6)]
    source.call("MSET", *(word for name in names for word in (name, "value")))
    refusal = b"-ERR not this one\r\n"
    replies = b"+OK\r\n" + b"+OK\r\n" * 2 + refusal + b"+OK\r\n" + refusal + b"+OK\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)

        def take_some() -> None:
            sock, _ = server.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.recv(65536)
                for at in range(0, len(replies), size):
                    sock.sendall(replies[at : at + size])
                    time.sleep(0.001)
                sock.recv(1)

        thread = threading.Thread(target=take_some)
        thread.start()
        port = server.getsockname()[1]
        reply = source.call("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *names)
        assert reply == b"-ERR Target instance replied with error: ERR not this one"
        left = [name for name in names if source.call("EXISTS", name)]
        # Nobody knows which database the other side has selected: it is told again.
        source.call("MIGRATE", "127.0.0.1", port, "", 0, 100, "KEYS", *left)
        thread.join()
    assert left == ["key-2", "key-4"]


def test_a_kept_connection_that_has_died(start, source: Client):
    other = start()
    source.call("MSET", "a", 1, "b", 2)
    assert source.call("MIGRATE", "127.0.0.1", other.port, "a", 0, 1000) == b"+OK"
    other.connect().call("CLIENT", "KILL", "TYPE", "normal")
    assert source.call("MIGRATE", "127.0.0.1", other.port, "b", 0, 1000) == b"+OK"
    assert other.connect().call("DBSIZE") == 2


def test_passwords(start, source: Client):
    other = start("--requirepass", "secret")
    source.call("SET", "key", "value")
    send = ("MIGRATE", "127.0.0.1", other.port, "key", 0, 1000)
    refused = b"-ERR Target instance replied with error: "
    assert source.call(*send).startswith(refused + b"NOAUTH")
    assert source.call(*send, "AUTH", "wrong").startswith(refused + b"WRONGPASS")
    assert source.call(*send, "COPY", "AUTH", "secret") == b"+OK"
    assert source.call(*send, "REPLACE", "AUTH2", "default", "secret") == b"+OK"
    # The connections of those who know the password serve nobody else.
    source.call("SET", "key", "value")
    assert source.call(*send, "REPLACE").startswith(refused + b"NOAUTH")


def test_what_is_logged_is_what_has_gone(start, target: Client, port: int, tmp_path):
    server = start("--appendonly", "yes", "--appendfsync", "always")
    client = server.connect()
    client.call("MSET", "a", 1, "b", 2)
    assert client.call("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", "a", "b") == b"+OK"
    log = b"".join(path.read_bytes() for path in server.directory.rglob("*.incr.aof"))
    assert log.endswith(b"*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n")


def test_keys_are_found(source: Client):
    words = ("COMMAND", "GETKEYS", "MIGRATE", "h", 1)
    assert source.call(*words, "key", 0, 1) == [b"key"]
    assert source.call(*words, "", 0, 1, "AUTH", "keys", "KEYS", "a", "b") == [b"a", b"b"]


def test_to_redis_and_back(source: Client, redis_server: ReferenceServer, pair):
    source.call("CONFIG", "SET", "rdb-version", "10")
    source.call("ZADD", "zset", 1, "a", 2, "b")
    assert source.call("MIGRATE", "127.0.0.1", redis_server.port, "zset", 0, 5000) == b"+OK"
    assert redis_server.call("ZRANGE", "zset", 0, -1) == [b"a", b"b"]
    there = redis_server.call("MIGRATE", "127.0.0.1", pair[0].port, "zset", 0, 5000)
    assert there == b"OK"
    assert source.call("ZRANGE", "zset", 0, -1) == [b"a", b"b"]
