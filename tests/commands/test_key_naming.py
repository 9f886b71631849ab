"""RENAME, COPY and MOVE."""

import pytest

from support.local import LocalClient, Recorder

SAME = "ERR source and destination objects are the same"
NO_SUCH_KEY = "ERR no such key"
OUT_OF_RANGE = "ERR DB index is out of range"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"


def test_rename(client: LocalClient) -> None:
    assert client.error("RENAME", "a", "b") == NO_SUCH_KEY
    client("MSET", "a", 1, "b", 2)
    client("EXPIRE", "a", 10)
    assert client("RENAME", "a", "b") == b"OK"
    assert client("MGET", "a", "b") == [None, b"1"]
    assert client("TTL", "b") == 10
    assert client("RENAME", "b", "b") == b"OK"


def test_rename_takes_the_expiry_away_from_what_was_there(client: LocalClient) -> None:
    client("MSET", "a", 1, "b", 2)
    client("EXPIRE", "b", 10)
    client("RENAME", "a", "b")
    assert client("TTL", "b") == -1


def test_renamenx(client: LocalClient) -> None:
    assert client.error("RENAMENX", "a", "a") == NO_SUCH_KEY
    client("MSET", "a", 1, "b", 2)
    assert client("RENAMENX", "a", "b") == 0
    assert client("RENAMENX", "a", "a") == 0
    assert client("RENAMENX", "a", "c") == 1
    assert client("MGET", "a", "b", "c") == [None, b"2", b"1"]


def test_copy(client: LocalClient) -> None:
    assert client("COPY", "a", "b") == 0
    client("SET", "a", 1, "EX", 10)
    assert client("COPY", "a", "b") == 1
    assert client("TTL", "b") == 10
    client("SET", "a", 2)
    assert client("COPY", "a", "b") == 0
    assert client("COPY", "a", "b", "replace") == 1
    assert client("MGET", "a", "b") == [b"2", b"2"]
    assert client("TTL", "b") == -1


def test_copy_to_another_database(client: LocalClient) -> None:
    client("SET", "a", 1)
    assert client("COPY", "a", "a", "DB", 3) == 1
    assert client("COPY", "a", "a", "REPLACE", "db", 3) == 1
    assert client.engine.keyspace.databases[3].peek(b"a") == b"1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), SAME),
        (("DB", "0"), SAME),
        (("DB",), "ERR syntax error"),
        (("FOO",), "ERR syntax error"),
        (("DB", "x"), NOT_AN_INTEGER),
        (("DB", "16"), OUT_OF_RANGE),
        (("DB", "-1"), OUT_OF_RANGE),
        (
            ("DB", "2147483648"),
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        ),
    ],
)
def test_copy_refuses(client: LocalClient, options: tuple[str, ...], message: str) -> None:
    assert client.error("COPY", "a", "a", *options) == message


def test_move(client: LocalClient) -> None:
    assert client("MOVE", "a", 1) == 0
    client("SET", "a", 1, "EX", 10)
    assert client("MOVE", "a", 1) == 1
    assert client("EXISTS", "a") == 0
    other = client.engine.keyspace.databases[1]
    assert other.expiry(b"a") == 1_000_000_010_000
    client("SET", "a", 2)
    assert client("MOVE", "a", 1) == 0


def test_move_refuses(client: LocalClient) -> None:
    assert client.error("MOVE", "a", 0) == SAME
    assert client.error("MOVE", "a", 16) == OUT_OF_RANGE
    assert client.error("MOVE", "a", "x") == NOT_AN_INTEGER


def test_each_counts_as_one_change(client: LocalClient) -> None:
    client("SET", "a", 1)
    for words in (("RENAME", "a", "b"), ("COPY", "b", "c"), ("MOVE", "b", 1)):
        before = client.engine.keyspace.dirty
        client(*words)
        assert client.engine.keyspace.dirty == before + 1, words


def test_what_leaves_the_engine(client: LocalClient) -> None:
    client("SET", "a", 1)
    recorder = Recorder(client.engine)
    client("RENAME", "a", "a")
    client("RENAMENX", "a", "a")
    client("RENAME", "a", "b")
    client("COPY", "a", "b")
    client("COPY", "b", "c", "DB", 2)
    client("MOVE", "b", 2)
    client("MOVE", "b", 2)
    assert recorder.take() == [b"RENAME a b", b"COPY b c DB 2", b"MOVE b 2"]
