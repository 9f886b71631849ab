"""Many commands sent at once: each has the reply that it would have by itself."""

from __future__ import annotations

import random
import time

import pytest

from support.wire import request

from .peers import Client, ServerProcess

# So many that the server fetches what a batch of commands needs before the first one runs.
KEYS = 12_000


@pytest.fixture(scope="module")
def filled(server: ServerProcess) -> ServerProcess:
    client = Client(("127.0.0.1", server.port))
    client.send(b"".join(request("SET", f"k{i}", f"v{i}") for i in range(KEYS)))
    assert [client.reply() for _ in range(KEYS)] == [b"+OK"] * KEYS
    client.close()
    return server


def answers(client: Client, commands: list[tuple]) -> list:
    client.send(b"".join(request(*words) for words in commands))
    return [client.reply() for _ in commands]


def counts(client: Client) -> tuple[int, int]:
    fields = dict(line.split(b":") for line in client.call("INFO", "stats").split() if b":" in line)
    return int(fields[b"keyspace_hits"]), int(fields[b"keyspace_misses"])


def test_reads_among_many_keys(filled: ServerProcess) -> None:
    client = Client(("127.0.0.1", filled.port))
    chance = random.Random(1)
    numbers = [chance.randrange(2 * KEYS) for _ in range(5000)]
    before = counts(client)
    expected = [b"v%d" % number if number < KEYS else None for number in numbers]
    assert answers(client, [("GET", f"k{number}") for number in numbers]) == expected
    hits = sum(value is not None for value in expected)
    assert counts(client) == (before[0] + hits, before[1] + 5000 - hits)


def test_each_sees_what_those_before_it_have_done(filled: ServerProcess) -> None:
    client = Client(("127.0.0.1", filled.port))
    commands: list[tuple] = [
        ("GET", "k1"), ("DEL", "k1"), ("GET", "k1"), ("SET", "k1", "v1"), ("SELECT", "1"),
        ("GET", "k1"), ("SELECT", "0"), ("GET", "k1"), ("PING",), ("ECHO", "x" * 300),
        ("NONE", "k1"), ("GET",), ("MULTI",), ("INCR", "n"), ("EXEC",), ("MGET", "k1", "k2"),
        ("SWAPDB", "0", "1"), ("GET", "k1"), ("SWAPDB", "1", "0"), ("GET", "k1"),
    ]  # fmt: skip
    at_once = answers(client, commands)
    client.call("DEL", "n")
    assert at_once == [client.call(*words) for words in commands]
    client.call("DEL", "n")


def test_a_client_that_has_to_wait_goes_on_where_it_was(filled: ServerProcess) -> None:
    client, other = (Client(("127.0.0.1", filled.port)) for _ in range(2))
    number = client.call("CLIENT", "ID")
    rest = b"".join(request("GET", f"k{i}") for i in range(40))
    client.send(request("GET", "k0") + request("BLPOP", "list", "0") + rest)
    assert client.reply() == b"v0"
    deadline = time.monotonic() + 10
    while b"blocked_clients:1" not in other.call("INFO", "clients"):
        assert time.monotonic() < deadline
    shown = other.call("CLIENT", "LIST", "ID", number)
    assert b" qbuf=%d " % len(client_input(rest)) in shown
    client.send(request("GET", "k40"))
    other.call("RPUSH", "list", "item")
    assert client.reply() == [b"list", b"item"]
    assert [client.reply() for _ in range(41)] == [b"v%d" % i for i in range(41)]


def client_input(rest: bytes) -> bytes:
    """What came in the read in which a client began to wait."""
    return request("GET", "k0") + request("BLPOP", "list", "0") + rest


def test_replies_come_before_the_error_that_ends(filled: ServerProcess) -> None:
    client = Client(("127.0.0.1", filled.port))
    client.send(request("GET", "k1") + request("GET", "k2") + b"*1\r\n$x\r\n")
    assert [client.reply() for _ in range(2)] == [b"v1", b"v2"]
    assert client.line() == b"-ERR Protocol error: invalid bulk length"
    assert client.at_end()


def test_who_quits_hears_of_nothing_after_it(filled: ServerProcess) -> None:
    client = Client(("127.0.0.1", filled.port))
    client.send(request("GET", "k1") + request("QUIT") + request("GET", "k2") * 5)
    assert client.reply() == b"v1"
    assert client.reply() == b"+OK"
    assert client.at_end()
