"""EXPIRE, TTL and their kin."""

import pytest

from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder

NOW = 1_000_000_000_000
NOT_AN_INTEGER = "ERR value is not an integer or out of range"


@pytest.mark.parametrize(
    ("name", "time", "moment"),
    [
        ("EXPIRE", 10, NOW + 10_000),
        ("PEXPIRE", 10, NOW + 10),
        ("EXPIREAT", NOW // 1000 + 10, NOW + 10_000),
        ("PEXPIREAT", NOW + 10, NOW + 10),
    ],
)
def test_four_ways(client: LocalClient, name: str, time: int, moment: int) -> None:
    recorder = Recorder(client.engine)
    assert client(name, "k", time) == 0
    client("SET", "k", "v")
    assert client(name, "k", time) == 1
    assert client("PEXPIRETIME", "k") == moment
    assert recorder.take() == [b"SET k v", b"PEXPIREAT k %d" % moment]


def test_the_key_goes_after_its_time(client: LocalClient, clock: ManualClock) -> None:
    client("SET", "k", "v")
    client("PEXPIRE", "k", 100)
    clock.advance(100)
    assert client("GET", "k") == b"v"
    recorder = Recorder(client.engine)
    clock.advance(1)
    assert client("GET", "k") is None
    assert recorder.take() == [b"DEL k"]


@pytest.mark.parametrize(
    ("name", "time"),
    [("EXPIRE", 0), ("EXPIRE", -1), ("PEXPIRE", -1), ("EXPIREAT", 1), ("PEXPIREAT", NOW)],
)
def test_a_time_that_has_passed_deletes(client: LocalClient, name: str, time: int) -> None:
    client("SET", "k", "v")
    recorder = Recorder(client.engine)
    assert client(name, "k", time) == 1
    assert client("EXISTS", "k") == 0
    assert recorder.take() == [b"DEL k"]


def test_lazyfree_lazy_expire_unlinks(client: LocalClient) -> None:
    client.engine.keyspace.lazy_expire = True
    client("SET", "k", "v")
    recorder = Recorder(client.engine)
    client("EXPIRE", "k", -1)
    assert recorder.take() == [b"UNLINK k"]


@pytest.mark.parametrize(
    ("present", "time", "condition", "reply"),
    [
        (None, 10, "NX", 1),
        (20, 10, "NX", 0),
        (None, 10, "XX", 0),
        (20, 10, "xx", 1),
        (None, 10, "GT", 0),
        (20, 10, "GT", 0),
        (20, 20, "GT", 0),
        (20, 21, "GT", 1),
        (None, 10, "LT", 1),
        (20, 10, "LT", 1),
        (20, 20, "LT", 0),
        (20, 21, "LT", 0),
    ],
)
def test_conditions(
    client: LocalClient, present: int | None, time: int, condition: str, reply: int
) -> None:
    client("SET", "k", "v")
    if present:
        client("EXPIRE", "k", present)
    recorder = Recorder(client.engine)
    assert client("EXPIRE", "k", time, condition) == reply
    assert client("TTL", "k") == (time if reply else present or -1)
    assert len(recorder.take()) == reply


def test_two_conditions(client: LocalClient) -> None:
    client("SET", "k", "v")
    assert client("EXPIRE", "k", 10, "XX", "LT") == 0
    client("EXPIRE", "k", 20)
    assert client("EXPIRE", "k", 10, "XX", "LT") == 1


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (("FOO",), "ERR Unsupported option FOO"),
        (
            ("NX", "XX"),
            "ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        (
            ("GT", "NX"),
            "ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        (("GT", "LT"), "ERR GT and LT options at the same time are not compatible"),
    ],
)
def test_conditions_that_do_not_go_together(
    client: LocalClient, conditions: tuple[str, ...], message: str
) -> None:
    assert client.error("EXPIRE", "k", 10, *conditions) == message


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("expire", 9223372036854775807),
        ("expire", 9223372036854776),
        ("expire", -9223372036854776),
        ("expireat", 9223372036854776),
        ("pexpire", 9223372036854775807),
    ],
)
def test_a_time_out_of_range(client: LocalClient, name: str, time: int) -> None:
    client("SET", "k", "v")
    assert client.error(name, "k", time) == f"ERR invalid expire time in '{name}' command"


@pytest.mark.parametrize("time", [9223372036854775807, -9223372036854775808])
def test_pexpireat_takes_every_integer(client: LocalClient, time: int) -> None:
    client("SET", "k", "v")
    assert client("PEXPIREAT", "k", time) == 1


def test_a_time_that_is_no_number(client: LocalClient) -> None:
    assert client.error("EXPIRE", "k", "1.5") == NOT_AN_INTEGER


def test_persist(client: LocalClient) -> None:
    assert client("PERSIST", "k") == 0
    client("SET", "k", "v")
    assert client("PERSIST", "k") == 0
    client("EXPIRE", "k", 10)
    recorder = Recorder(client.engine)
    assert client("PERSIST", "k") == 1
    assert client("TTL", "k") == -1
    assert recorder.take() == [b"PERSIST k"]


@pytest.mark.parametrize("name", ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"])
def test_no_key_and_no_expiry(client: LocalClient, name: str) -> None:
    assert client(name, "k") == -2
    client("SET", "k", "v")
    assert client(name, "k") == -1


@pytest.mark.parametrize(("ms", "seconds"), [(1499, 1), (1500, 2), (499, 0)])
def test_seconds_are_rounded(client: LocalClient, ms: int, seconds: int) -> None:
    client("SET", "k", "v", "PX", ms)
    assert client("TTL", "k") == seconds
    assert client("PTTL", "k") == ms
    assert client("EXPIRETIME", "k") == NOW // 1000 + seconds
    assert client("PEXPIRETIME", "k") == NOW + ms
