"""GET, SET and their kin."""

import pytest

from carnelian.datatypes.algorithms.xxh3 import hexdigest
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "ERR syntax error"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"


def test_get_of_what_is_not_there(client: LocalClient) -> None:
    assert client("GET", "k") is None


def test_set_then_get(client: LocalClient) -> None:
    assert client("SET", "k", b"\x00\xff") == b"OK"
    assert client("GET", "k") == b"\x00\xff"


def test_set_forgets_the_expiry(client: LocalClient) -> None:
    client("SET", "k", "v", "EX", 10)
    client("SET", "k", "w")
    assert client("TTL", "k") == -1


@pytest.mark.parametrize(
    ("option", "left"),
    [
        (("EX", 10), 10_000),
        (("px", 10), 10),
        (("ExAt", 1_000_000_010), 10_000),
        (("PXAT", 1_000_000_000_010), 10),
    ],
)
def test_set_with_a_time(client: LocalClient, option: tuple[str, int], left: int) -> None:
    assert client("SET", "k", "v", *option) == b"OK"
    assert client("PTTL", "k") == left


def test_set_with_a_time_in_the_past(client: LocalClient) -> None:
    assert client("SET", "k", "v", "PXAT", 1) == b"OK"
    assert client("EXISTS", "k") == 0


def test_set_keepttl(client: LocalClient, clock: ManualClock) -> None:
    client("SET", "k", "v", "PX", 100)
    clock.advance(30)
    assert client("SET", "k", "w", "KEEPTTL") == b"OK"
    assert client("PTTL", "k") == 70


@pytest.mark.parametrize("seconds", [0, -1, 9223372036854775807, 9223372036854776])
def test_set_with_a_time_out_of_range(client: LocalClient, seconds: int) -> None:
    assert client.error("SET", "k", "v", "EX", seconds) == (
        "ERR invalid expire time in 'set' command"
    )


def test_set_with_a_time_that_is_no_number(client: LocalClient) -> None:
    assert client.error("SET", "k", "v", "EX", "1.5") == NOT_AN_INTEGER


@pytest.mark.parametrize(
    "options",
    [
        ("FOO",),
        ("EX",),
        ("NX", "XX"),
        ("XX", "IFEQ", "v"),
        ("IFEQ",),
        ("IFEQ", "a", "IFNE", "b"),
        ("EX", "1", "PX", "1"),
        ("EX", "1", "KEEPTTL"),
        ("KEEPTTL", "PXAT", "1"),
        ("PERSIST",),
    ],
)
def test_set_with_options_that_do_not_go_together(
    client: LocalClient, options: tuple[str, ...]
) -> None:
    assert client.error("SET", "k", "v", *options) == SYNTAX


def test_an_option_may_come_twice(client: LocalClient) -> None:
    assert client("SET", "k", "v", "EX", "1", "EX", "20", "NX", "NX") == b"OK"
    assert client("TTL", "k") == 20


def test_set_nx_and_xx(client: LocalClient) -> None:
    assert client("SET", "k", "a", "XX") is None
    assert client("SET", "k", "b", "NX") == b"OK"
    assert client("SET", "k", "c", "NX") is None
    assert client("SET", "k", "d", "XX") == b"OK"
    assert client("GET", "k") == b"d"


def test_set_get(client: LocalClient) -> None:
    assert client("SET", "k", "a", "GET") is None
    assert client("SET", "k", "b", "GET") == b"a"
    assert client("SET", "k", "c", "NX", "GET") == b"b"
    assert client("GET", "k") == b"b"
    assert client("SET", "new", "a", "XX", "GET") is None
    assert client("EXISTS", "new") == 0


@pytest.mark.parametrize(
    ("condition", "operand", "met"),
    [
        ("IFEQ", b"v", True),
        ("IFEQ", b"w", False),
        ("IFNE", b"v", False),
        ("ifne", b"w", True),
        ("IFDEQ", hexdigest(b"v"), True),
        ("IFDEQ", hexdigest(b"v").upper(), True),
        ("IFDEQ", hexdigest(b"w"), False),
        ("IFDNE", hexdigest(b"v"), False),
        ("IFDNE", hexdigest(b"w"), True),
        ("IFDEQ", b"z" * 16, False),
    ],
)
@pytest.mark.parametrize("get", [(), ("GET",)])
def test_comparisons(
    client: LocalClient, condition: str, operand: bytes, met: bool, get: tuple[str, ...]
) -> None:
    client("SET", "k", "v")
    reply = client("SET", "k", "new", condition, operand, *get)
    assert reply == (b"v" if get else b"OK" if met else None)
    assert client("GET", "k") == (b"new" if met else b"v")


@pytest.mark.parametrize(
    ("condition", "created"), [("IFEQ", 0), ("IFDEQ", 0), ("IFNE", 1), ("IFDNE", 1)]
)
def test_comparisons_with_nothing(client: LocalClient, condition: str, created: int) -> None:
    assert client("SET", "k", "v", condition, "x") == (b"OK" if created else None)
    assert client("EXISTS", "k") == created


@pytest.mark.parametrize("digest", [b"", b"0" * 15, b"0" * 17])
def test_a_digest_has_16_digits(client: LocalClient, digest: bytes) -> None:
    client("SET", "k", "v")
    message = "ERR must be exactly 16 hexadecimal characters"
    assert client.error("SET", "k", "v", "IFDEQ", digest) == message
    assert client.error("DELEX", "k", "IFDNE", digest) == message


def test_setnx(client: LocalClient) -> None:
    assert client("SETNX", "k", "a") == 1
    assert client("SETNX", "k", "b") == 0
    assert client("GET", "k") == b"a"


def test_setex_and_psetex(client: LocalClient) -> None:
    assert client("SETEX", "k", 10, "v") == b"OK"
    assert client("PTTL", "k") == 10_000
    assert client("PSETEX", "k", 10, "w") == b"OK"
    assert client("PTTL", "k") == 10
    assert client.error("SETEX", "k", 0, "v") == "ERR invalid expire time in 'setex' command"
    assert client.error("PSETEX", "k", -1, "v") == "ERR invalid expire time in 'psetex' command"
    assert client.error("SETEX", "k", "x", "v") == NOT_AN_INTEGER


def test_getset(client: LocalClient) -> None:
    assert client("GETSET", "k", "a") is None
    client("EXPIRE", "k", 10)
    assert client("GETSET", "k", "b") == b"a"
    assert client("TTL", "k") == -1


def test_getdel(client: LocalClient) -> None:
    assert client("GETDEL", "k") is None
    client("SET", "k", "v")
    assert client("GETDEL", "k") == b"v"
    assert client("EXISTS", "k") == 0


def test_getex(client: LocalClient) -> None:
    assert client("GETEX", "k", "EX", "0") is None
    client("SET", "k", "v")
    assert client("GETEX", "k") == b"v"
    assert client("TTL", "k") == -1
    assert client("GETEX", "k", "EX", 10) == b"v"
    assert client("TTL", "k") == 10
    assert client("GETEX", "k", "PERSIST") == b"v"
    assert client("TTL", "k") == -1
    assert client("GETEX", "k", "PXAT", 1) == b"v"
    assert client("EXISTS", "k") == 0


@pytest.mark.parametrize("options", [("KEEPTTL",), ("EX", "1", "PERSIST"), ("NX",), ("PX",)])
def test_getex_with_options_it_does_not_take(client: LocalClient, options: tuple[str, ...]) -> None:
    assert client.error("GETEX", "k", *options) == SYNTAX


def test_getex_with_a_time_out_of_range(client: LocalClient) -> None:
    client("SET", "k", "v")
    assert client.error("GETEX", "k", "EX", 0) == "ERR invalid expire time in 'getex' command"


def test_delex(client: LocalClient) -> None:
    assert client("DELEX", "k") == 0
    assert client("DELEX", "k", "FOO", "v") == 0
    client("SET", "k", "v")
    assert client("DELEX", "k", "IFEQ", "w") == 0
    assert client("DELEX", "k", "IFNE", "v") == 0
    assert client.error("DELEX", "k", "FOO", "v") == (
        "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"
    )
    assert client("DELEX", "k", "IFDEQ", hexdigest(b"v")) == 1
    client("SET", "k", "v")
    assert client("DELEX", "k") == 1
    for words in (("IFEQ",), ("IFEQ", "v", "extra")):
        assert client.error("DELEX", "k", *words) == (
            "ERR wrong number of arguments for 'delex' command"
        )


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    digest = hexdigest(b"a")
    commands: list[tuple[tuple[str | bytes, ...], bytes | None]] = [
        (("SET", "k", "a"), b"SET k a"),
        (("SET", "k", "a", "NX"), None),
        (("SET", "k", "b", "XX", "GET"), b"SET k b XX"),
        (("SET", "k", "a", "KEEPTTL", "GET"), b"SET k a KEEPTTL"),
        (("SET", "k", "a", "IFDEQ", digest, "KEEPTTL"), b"SET k a KEEPTTL"),
        (("SET", "k", "a", "EX", "10"), b"SET k a PXAT 1000000010000"),
        (("SETEX", "k", "10", "b"), b"SET k b PXAT 1000000010000"),
        (("PSETEX", "k", "10", "b"), b"SET k b PXAT 1000000000010"),
        (("GETSET", "k", "c"), b"SET k c"),
        (("GETEX", "k", "EX", "1"), b"PEXPIREAT k 1000000001000"),
        (("GETEX", "k"), None),
        (("GETEX", "k", "PERSIST"), b"PERSIST k"),
        (("GETEX", "k", "EXAT", "1"), b"DEL k"),
        (("GETDEL", "k"), None),
        (("SETNX", "k", "a"), b"SETNX k a"),
        (("GETDEL", "k"), b"DEL k"),
        (("SETNX", "l", "a"), b"SETNX l a"),
        (("DELEX", "l", "IFEQ", "b"), None),
        (("DELEX", "l", "IFEQ", "a"), b"DEL l"),
    ]
    for words, left in commands:
        client(*words)
        assert recorder.take() == ([left] if left else []), words
