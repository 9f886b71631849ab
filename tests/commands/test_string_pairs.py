"""MGET, MSET and their kin."""

import pytest

from support.local import LocalClient, Recorder

SYNTAX = "ERR syntax error"


def test_mset_and_mget(client: LocalClient) -> None:
    assert client("MSET", "a", 1, "b", 2, "a", 3) == b"OK"
    assert client("MGET", "a", "none", "b", "a") == [b"3", None, b"2", b"3"]


def test_mset_forgets_the_expiry(client: LocalClient) -> None:
    client("SET", "k", "v", "EX", 10)
    client("MSET", "k", "w")
    assert client("TTL", "k") == -1


def test_msetnx(client: LocalClient) -> None:
    assert client("MSETNX", "a", 1, "b", 2) == 1
    assert client("MSETNX", "c", 1, "b", 3) == 0
    assert client("MGET", "a", "b", "c") == [b"1", b"2", None]


@pytest.mark.parametrize("name", ["mset", "msetnx"])
def test_a_value_is_missing(client: LocalClient, name: str) -> None:
    message = f"ERR wrong number of arguments for '{name}' command"
    assert client.error(name, "a", 1, "b") == message


def test_msetex(client: LocalClient) -> None:
    assert client("MSETEX", 2, "a", 1, "b", 2, "EX", 10) == 1
    assert (client("TTL", "a"), client("TTL", "b")) == (10, 10)
    assert client("MSETEX", 1, "a", 3, "KEEPTTL") == 1
    assert client("TTL", "a") == 10
    assert client("MSETEX", 1, "a", 4) == 1
    assert client("TTL", "a") == -1
    assert client("MGET", "a", "b") == [b"4", b"2"]


def test_msetex_conditions(client: LocalClient) -> None:
    assert client("MSETEX", 2, "a", 1, "b", 2, "XX") == 0
    assert client("MSETEX", 2, "a", 1, "b", 2, "NX") == 1
    assert client("MSETEX", 2, "a", 1, "c", 2, "NX", "PX", 100) == 0
    assert client("MSETEX", 2, "a", 1, "c", 2, "PX", 100, "XX") == 0
    assert client("MSETEX", 2, "a", 5, "b", 6, "XX", "PX", 100) == 1
    assert client("PTTL", "b") == 100


@pytest.mark.parametrize("count", ["key1", "0", "-1", "2147483648", ""])
def test_msetex_with_a_count_that_is_none(client: LocalClient, count: str) -> None:
    assert client.error("MSETEX", count, "a", 1) == "ERR invalid numkeys value"


@pytest.mark.parametrize("count", [2, 2147483647])
def test_msetex_with_too_few_pairs(client: LocalClient, count: int) -> None:
    message = "ERR wrong number of key-value pairs"
    assert client.error("MSETEX", count, "a", 1, "b") == message


@pytest.mark.parametrize(
    "options",
    [("FOO",), ("NX", "XX"), ("EX", "1", "PX", "1"), ("KEEPTTL", "EX", "1"), ("GET",), ("EX",)],
)
def test_msetex_options_that_do_not_go_together(
    client: LocalClient, options: tuple[str, ...]
) -> None:
    assert client.error("MSETEX", 1, "a", 1, *options) == SYNTAX


def test_msetex_time_out_of_range(client: LocalClient) -> None:
    assert client.error("MSETEX", 1, "a", 1, "EX", 0) == (
        "ERR invalid expire time in 'msetex' command"
    )


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("MSET", "a", 1, "b", 2)
    client("MSETNX", "a", 1)
    assert recorder.take() == [b"MSET a 1 b 2"]
    client("MSETEX", 2, "a", 1, "b", 2, "EX", 10, "XX")
    assert recorder.take() == [
        b"MULTI",
        b"SET a 1 PXAT 1000000010000",
        b"SET b 2 PXAT 1000000010000",
        b"EXEC",
    ]
    client("MSETEX", 1, "a", 1, "KEEPTTL")
    client("MSETEX", 1, "a", 1)
    client("MSETEX", 1, "a", 1, "NX")
    assert recorder.take() == [b"SET a 1 KEEPTTL", b"SET a 1"]
