"""The hash commands: replies, errors, events and what is propagated."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient, Recorder
from support.wire import parse

NOT_AN_INTEGER = "ERR value is not an integer or out of range"
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def test_setting_and_getting(client: LocalClient) -> None:
    assert client("HSET", "h", "a", 1, "b", 2) == 2
    assert client("HSET", "h", "b", 3, "c", 4) == 1
    assert client("HMSET", "h", "d", 5) == b"OK"
    assert client("HGET", "h", "b") == b"3"
    assert client("HGET", "h", "x") is None
    assert client("HGET", "no", "x") is None
    assert client("HMGET", "h", "a", "x", "d") == [b"1", None, b"5"]
    assert client("HMGET", "no", "a", "x") == [None, None]
    assert client("HSETNX", "h", "a", 9) == 0
    assert client("HSETNX", "h", "e", 9) == 1
    assert client("HSETNX", "new", "e", 9) == 1
    assert client("HLEN", "h") == 5
    assert client("HLEN", "no") == 0
    assert client("HEXISTS", "h", "a") == 1
    assert client("HEXISTS", "h", "x") == client("HEXISTS", "no", "x") == 0
    assert client("HSTRLEN", "h", "a") == 1
    assert client("HSTRLEN", "h", "x") == client("HSTRLEN", "no", "x") == 0
    assert client("TYPE", "h") == b"hash"


def test_listing(client: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    assert client("HGETALL", "h") == [b"a", b"1", b"b", b"2"]
    assert client("HKEYS", "h") == [b"a", b"b"]
    assert client("HVALS", "h") == [b"1", b"2"]
    for name in ("HGETALL", "HKEYS", "HVALS"):
        assert client(name, "no") == []


def test_maps_of_resp3(engine: Engine) -> None:
    client = LocalClient(engine, 3)
    client("HSET", "h", "a", 1)
    assert client.call("HGETALL", "h") == parse(b"%1\r\n$1\r\na\r\n$1\r\n1\r\n")
    assert client.call("HGETALL", "no") == parse(b"%0\r\n")
    assert client("HRANDFIELD", "h", 1, "WITHVALUES") == [[b"a", b"1"]]
    assert client("HRANDFIELD", "h", -2, "WITHVALUES") == [[b"a", b"1"]] * 2
    assert client("HRANDFIELD", "h", -2) == [b"a"] * 2


def test_removing(client: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    assert client("HDEL", "h", "x") == client("HDEL", "no", "x") == 0
    assert client("HDEL", "h", "a", "a", "x") == 1
    assert client("HDEL", "h", "b", "x") == 1
    assert client("EXISTS", "h") == 0


def test_counting(client: LocalClient) -> None:
    assert client("HINCRBY", "h", "n", 5) == 5
    assert client("HINCRBY", "h", "n", -7) == -2
    assert client("HINCRBYFLOAT", "h", "n", "0.5") == b"-1.5"
    assert client.error("HINCRBY", "h", "n", 1) == "ERR hash value is not an integer"
    assert client.error("HINCRBY", "h", "n", "x") == NOT_AN_INTEGER
    client("HSET", "h", "big", 9223372036854775807, "text", "x", "inf", "inf")
    overflow = "ERR increment or decrement would overflow"
    assert client.error("HINCRBY", "h", "big", 1) == overflow
    assert client.error("HINCRBYFLOAT", "h", "text", 1) == "ERR hash value is not a float"
    assert client.error("HINCRBYFLOAT", "h", "text", "x") == "ERR value is not a valid float"
    assert client.error("HINCRBYFLOAT", "h", "big", "inf") == "ERR value is NaN or Infinity"
    nan = "ERR increment would produce NaN or Infinity"
    assert client.error("HINCRBYFLOAT", "h", "inf", 1) == nan


@pytest.mark.parametrize(
    "words",
    [
        ("HSET", "s", "a", "1"), ("HMSET", "s", "a", "1"), ("HSETNX", "s", "a", "1"),
        ("HGET", "s", "a"), ("HMGET", "s", "a"), ("HGETALL", "s"), ("HKEYS", "s"), ("HVALS", "s"),
        ("HDEL", "s", "a"), ("HLEN", "s"), ("HSTRLEN", "s", "a"), ("HEXISTS", "s", "a"),
        ("HINCRBY", "s", "a", "1"), ("HINCRBYFLOAT", "s", "a", "1"), ("HRANDFIELD", "s"),
        ("HRANDFIELD", "s", "1"), ("HSCAN", "s", "0"),
    ],
)  # fmt: skip
def test_other_types(client: LocalClient, words: tuple[str, ...]) -> None:
    client("SET", "s", "x")
    assert client.error(*words) == WRONG_TYPE


def test_wrong_numbers_of_arguments(client: LocalClient) -> None:
    for name in ("HSET", "HMSET"):
        message = f"ERR wrong number of arguments for '{name.lower()}' command"
        assert client.error(name, "h", "a") == message
        assert client.error(name, "h", "a", 1, "b") == message
    assert client("EXISTS", "h") == 0


def test_random_fields(client: LocalClient) -> None:
    assert client("HRANDFIELD", "no") is None
    assert client("HRANDFIELD", "no", 3) == []
    client("HSET", "h", "a", 1, "b", 2, "c", 3)
    assert client("HRANDFIELD", "h") in (b"a", b"b", b"c")
    assert sorted(client("HRANDFIELD", "h", 2)) in ([b"a", b"b"], [b"a", b"c"], [b"b", b"c"])
    assert client("HRANDFIELD", "h", 9, "withvalues") == client("HGETALL", "h")
    assert len(client("HRANDFIELD", "h", -9)) == 9
    assert len(client("HRANDFIELD", "h", -9, "WITHVALUES")) == 18
    assert client("HRANDFIELD", "h", 0) == []
    assert client.error("HRANDFIELD", "h", "x") == NOT_AN_INTEGER
    assert client.error("HRANDFIELD", "h", 1, "X") == "ERR syntax error"
    assert client.error("HRANDFIELD", "h", 1, "WITHVALUES", "X") == "ERR syntax error"
    huge = client.error("HRANDFIELD", "h", -9223372036854775807, "WITHVALUES")
    assert huge == "ERR value is out of range"
    assert client.error("HRANDFIELD", "h", -9223372036854775808) == (
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
    )


def test_scanning(client: LocalClient) -> None:
    assert client("HSCAN", "no", 0) == [b"0", []]
    client("HSET", "h", "a", 1, "b", 2, "aa", 3)
    assert client("HSCAN", "h", 0) == [b"0", [b"a", b"1", b"b", b"2", b"aa", b"3"]]
    assert client("HSCAN", "h", 0, "MATCH", "a*", "COUNT", 1) == [b"0", [b"a", b"1", b"aa", b"3"]]
    assert client("HSCAN", "h", 0, "NOVALUES", "MATCH", "a*") == [b"0", [b"a", b"aa"]]
    assert client.error("HSCAN", "h", "x") == "ERR invalid cursor"
    assert client.error("HSCAN", "h", 0, "COUNT", 0) == "ERR syntax error"
    assert client.error("HSCAN", "h", 0, "COUNT", "x") == NOT_AN_INTEGER
    assert client.error("HSCAN", "h", 0, "COUNT") == "ERR syntax error"
    for number in range(1000):
        client("HSET", "h", f"f{number}", number)
    found: dict[bytes, bytes] = {}
    cursor = b"0"
    while True:
        cursor, some = client("HSCAN", "h", cursor, "COUNT", 50)
        assert len(some) < 200
        found.update(zip(some[::2], some[1::2], strict=True))
        if cursor == b"0":
            break
    assert len(found) == 1003


def test_encodings(client: LocalClient) -> None:
    client("HSET", "h", "a", 1)
    assert client("OBJECT", "ENCODING", "h") == b"listpack"
    client("CONFIG", "SET", "hash-max-listpack-entries", 2)
    client("HSET", "h", "b", 1, "c", 1)
    assert client("OBJECT", "ENCODING", "h") == b"hashtable"
    client("HSET", "i", "a", "x" * 65)
    assert client("OBJECT", "ENCODING", "i") == b"hashtable"


def test_what_is_propagated(engine: Engine, client: LocalClient) -> None:
    recorder = Recorder(engine)
    client("HSET", "h", "a", 1, "b", 2)
    client("HSETNX", "h", "a", 2)
    client("HINCRBYFLOAT", "h", "a", "0.5")
    client("HDEL", "h", "x")
    client("HDEL", "h", "a", "b")
    assert recorder.take() == [b"HSET h a 1 b 2", b"HSET h a 1.5", b"HDEL h a b"]
