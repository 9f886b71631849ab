"""APPEND, GETRANGE, LCS and their kin."""

import pytest

from carnelian.datatypes.algorithms.xxh3 import hexdigest
from support.local import LocalClient, Recorder

NOT_AN_INTEGER = "ERR value is not an integer or out of range"
TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"


def test_append(client: LocalClient) -> None:
    assert client("APPEND", "k", "12") == 2
    assert client("OBJECT", "ENCODING", "k") == b"int"
    assert client("APPEND", "k", "3") == 3
    assert client("OBJECT", "ENCODING", "k") == b"raw"
    assert client("GET", "k") == b"123"
    assert client("APPEND", "k", "") == 3


def test_append_keeps_the_expiry(client: LocalClient) -> None:
    client("SET", "k", "v", "EX", 10)
    client("APPEND", "k", "w")
    assert client("TTL", "k") == 10


def test_strlen(client: LocalClient) -> None:
    assert client("STRLEN", "k") == 0
    client("SET", "k", -555)
    assert client("STRLEN", "k") == 4


def test_setrange(client: LocalClient) -> None:
    assert client("SETRANGE", "k", 5, "") == 0
    assert client("EXISTS", "k") == 0
    assert client("SETRANGE", "k", 2, "ab") == 4
    assert client("GET", "k") == b"\0\0ab"
    assert client("SETRANGE", "k", 3, "xyz") == 6
    assert client("GET", "k") == b"\0\0axyz"
    assert client("SETRANGE", "k", 0, "") == 6
    client("SET", "k", 1234)
    assert client("SETRANGE", "k", 1, "3") == 4
    assert client("GET", "k") == b"1334"


def test_setrange_out_of_range(client: LocalClient) -> None:
    assert client.error("SETRANGE", "k", -1, "") == "ERR offset is out of range"
    assert client.error("SETRANGE", "k", "x", "a") == NOT_AN_INTEGER
    assert client.error("SETRANGE", "k", 512 * 1024 * 1024 - 4, "world") == TOO_LONG
    assert client.error("SETRANGE", "k", 9223372036854775807, "a") == TOO_LONG


@pytest.mark.parametrize("name", ["GETRANGE", "SUBSTR"])
@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        (0, 3, "Hell"),
        (0, -1, "Hello World"),
        (-4, -1, "orld"),
        (5, 3, ""),
        (5, 5000, " World"),
        (-5000, 10000, "Hello World"),
        (0, -100, ""),
        (1, -100, ""),
        (-1, -100, ""),
        (-100, -99, ""),
        (-100, -100, ""),
        (-100, -11, "H"),
        (-100, -12, ""),
        (-100, -101, ""),
        (0, 4294967297, "Hello World"),
        (-9223372036854775808, 9223372036854775807, "Hello World"),
    ],
)
def test_getrange(client: LocalClient, name: str, start: int, end: int, part: str) -> None:
    assert client(name, "k", start, end) == b""
    client("SET", "k", "Hello World")
    assert client(name, "k", start, end) == part.encode()


def test_getrange_of_an_integer(client: LocalClient) -> None:
    client("SET", "k", 1234)
    assert client("GETRANGE", "k", -3, -2) == b"23"
    assert client.error("GETRANGE", "k", "a", 0) == NOT_AN_INTEGER


def test_digest(client: LocalClient) -> None:
    assert client("DIGEST", "k") is None
    client("SET", "k", 123)
    assert client("DIGEST", "k") == hexdigest(b"123")


def test_lcs(client: LocalClient) -> None:
    client("MSET", "a", "ohmytext", "b", "mynewtext")
    assert client("LCS", "a", "b") == b"mytext"
    assert client("LCS", "a", "b", "LEN") == 6
    assert client("LCS", "a", "none") == b""
    assert client("LCS", "a", "b", "IDX") == [
        b"matches", [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], b"len", 6,
    ]  # fmt: skip
    assert client("LCS", "a", "b", "idx", "MINMATCHLEN", 4, "WITHMATCHLEN") == [
        b"matches", [[[4, 7], [5, 8], 4]], b"len", 6,
    ]  # fmt: skip
    assert (
        client("LCS", "a", "b", "IDX", "MINMATCHLEN", -1)[1] == (client("LCS", "a", "b", "IDX")[1])
    )


def test_lcs_refuses(client: LocalClient) -> None:
    client("MSET", "a", "x", "b", "y")
    assert client.error("LCS", "a", "b", "LEN", "IDX") == (
        "ERR If you want both the length and indexes, please just use IDX."
    )
    assert client.error("LCS", "a", "b", "FOO") == "ERR syntax error"
    assert client.error("LCS", "a", "b", "MINMATCHLEN") == "ERR syntax error"
    assert client.error("LCS", "a", "b", "MINMATCHLEN", "x") == NOT_AN_INTEGER
    client("MSET", "a", "x" * 20_000, "b", "y" * 20_000)
    assert client.error("LCS", "a", "b") == (
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
    )


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("SETRANGE", "k", 0, "")
    client("APPEND", "k", "a")
    client("SETRANGE", "k", 0, "b")
    client("SETRANGE", "k", 0, "")
    assert recorder.take() == [b"APPEND k a", b"SETRANGE k 0 b"]
