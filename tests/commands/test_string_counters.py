"""INCR and its kin."""

import pytest

from support.local import LocalClient, Recorder

NOT_AN_INTEGER = "ERR value is not an integer or out of range"
NOT_A_FLOAT = "ERR value is not a valid float"
OVERFLOW = "ERR increment or decrement would overflow"


def test_counting(client: LocalClient) -> None:
    assert client("INCR", "k") == 1
    assert client("INCRBY", "k", 41) == 42
    assert client("DECR", "k") == 41
    assert client("DECRBY", "k", -9) == 50
    assert client("GET", "k") == b"50"
    assert client("OBJECT", "ENCODING", "k") == b"int"


def test_counting_keeps_the_expiry(client: LocalClient) -> None:
    client("SET", "k", 1, "EX", 10)
    client("INCR", "k")
    client("INCRBYFLOAT", "k", "0.5")
    assert client("TTL", "k") == 10


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1.0", "+1", "01", "x", "9223372036854775808"])
def test_what_is_no_integer(client: LocalClient, text: str) -> None:
    client("SET", "k", text)
    assert client.error("INCR", "k") == NOT_AN_INTEGER
    assert client.error("INCRBY", "new", text) == NOT_AN_INTEGER
    assert client.error("DECRBY", "new", text) == NOT_AN_INTEGER


def test_overflow(client: LocalClient) -> None:
    client("SET", "k", 9223372036854775807)
    assert client.error("INCR", "k") == OVERFLOW
    assert client("DECR", "k") == 9223372036854775806
    client("SET", "k", -9223372036854775808)
    assert client.error("DECR", "k") == OVERFLOW
    assert client.error("INCRBY", "k", -9223372036854775808) == OVERFLOW
    assert client.error("DECRBY", "k", -9223372036854775808) == "ERR decrement would overflow"


@pytest.mark.parametrize(
    ("value", "increment", "total"),
    [
        (None, "10.5", "10.5"),
        ("10.50", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("3", "-4.25", "-1.25"),
        ("1", "0", "1"),
        ("0", "1e-15", "0.000000000000001"),
    ],
)
def test_incrbyfloat(client: LocalClient, value: str | None, increment: str, total: str) -> None:
    if value is not None:
        client("SET", "k", value)
    assert client("INCRBYFLOAT", "k", increment) == total.encode()
    assert client("GET", "k") == total.encode()


@pytest.mark.parametrize("text", ["", " 1", "1 ", "x", "nan"])
def test_what_is_no_float(client: LocalClient, text: str) -> None:
    assert client.error("INCRBYFLOAT", "new", text) == NOT_A_FLOAT
    client("SET", "k", text)
    assert client.error("INCRBYFLOAT", "k", 1) == NOT_A_FLOAT


def test_incrbyfloat_to_infinity(client: LocalClient) -> None:
    assert client.error("INCRBYFLOAT", "k", "inf") == (
        "ERR increment would produce NaN or Infinity"
    )


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("INCR", "k")
    client("DECRBY", "k", 3)
    client("INCRBYFLOAT", "k", "0.5")
    assert recorder.take() == [b"INCR k", b"DECRBY k 3", b"SET k -1.5 KEEPTTL"]
    client("INCR", "k")
    assert recorder.take() == []
