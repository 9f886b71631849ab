"""DBSIZE, FLUSHDB, FLUSHALL, SWAPDB and WAIT."""

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY
from support.local import LocalClient, Recorder

NOT_AN_INTEGER = "ERR value is not an integer or out of range"


def test_dbsize(client: LocalClient) -> None:
    assert client("DBSIZE") == 0
    client("MSET", "a", 1, "b", 2)
    assert client("DBSIZE") == 2


@pytest.mark.parametrize("mode", [(), ("SYNC",), ("async",)])
@pytest.mark.parametrize(("name", "left"), [("FLUSHDB", 1), ("FLUSHALL", 0)])
def test_flush(client: LocalClient, name: str, left: int, mode: tuple[str, ...]) -> None:
    client("MSET", "a", 1, "b", 2)
    client("COPY", "a", "a", "DB", 1)
    before = client.engine.keyspace.dirty
    assert client(name, *mode) == b"OK"
    assert client.engine.keyspace.dirty == before + 3 - left
    assert client("DBSIZE") == 0
    assert len(client.engine.keyspace.databases[1]) == left


def test_flush_refuses(client: LocalClient) -> None:
    assert client.error("FLUSHALL", "FOO") == "ERR syntax error"
    assert client.error("FLUSHDB", "SYNC", "ASYNC") == "ERR syntax error"


def test_flush_leaves_the_engine_even_if_nothing_was_there(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("FLUSHALL")
    client("SET", "a", 1)
    client("FLUSHDB", "ASYNC")
    assert recorder.take() == [b"FLUSHALL", b"SET a 1", b"FLUSHDB ASYNC"]


def test_swapdb(client: LocalClient) -> None:
    client("SET", "a", 1)
    client("MOVE", "a", 3)
    recorder = Recorder(client.engine)
    assert client("SWAPDB", 0, 3) == b"OK"
    assert client("GET", "a") == b"1"
    assert client("SWAPDB", 2, 2) == b"OK"
    assert recorder.take() == [b"SWAPDB 0 3", b"SWAPDB 2 2"]


def test_swapdb_refuses(client: LocalClient) -> None:
    assert client.error("SWAPDB", "x", 0) == "ERR invalid first DB index"
    assert client.error("SWAPDB", 0, 2147483648) == "ERR invalid second DB index"
    assert client.error("SWAPDB", 0, 16) == "ERR DB index is out of range"
    assert client.error("SWAPDB", -1, 0) == "ERR DB index is out of range"


def test_wait_without_replicas(client: LocalClient, clock: ManualClock) -> None:
    assert client("WAIT", 0, 0) == 0
    assert client("WAIT", 1, 100) is NO_REPLY
    clock.advance(100)
    client.engine.on_deadline()
    assert [reply.value for reply in client.messages()] == [0]


def test_wait_refuses(client: LocalClient) -> None:
    assert client.error("WAIT", "x", 0) == NOT_AN_INTEGER
    assert client.error("WAIT", 1, "x") == "ERR timeout is not an integer or out of range"
    assert client.error("WAIT", 1, -1) == "ERR timeout is negative"


def test_wait_does_not_block_a_transaction(client: LocalClient) -> None:
    client("MULTI")
    client("WAIT", 1, 0)
    assert client("EXEC") == [0]
