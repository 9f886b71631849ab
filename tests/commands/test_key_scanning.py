"""KEYS, SCAN and RANDOMKEY."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient

NOT_AN_INTEGER = "ERR value is not an integer or out of range"


def scan(client: LocalClient, *options: str | int) -> list[bytes]:
    """All that a whole iteration returns."""
    cursor, found = b"0", []
    while True:
        reply = client("SCAN", cursor, *options)
        assert isinstance(reply, list)
        cursor, keys = reply
        found += keys
        if cursor == b"0":
            return found


def test_keys(client: LocalClient) -> None:
    client("MSET", "foo_a", 1, "foo_b", 2, "key_x", 3)
    assert sorted(client("KEYS", "foo*")) == [b"foo_a", b"foo_b"]
    assert sorted(client("KEYS", "*")) == [b"foo_a", b"foo_b", b"key_x"]
    assert client("KEYS", "[kx]ey_?") == [b"key_x"]
    assert client("KEYS", "x") == []


def test_expired_keys_are_not_listed(client: LocalClient, clock: ManualClock) -> None:
    client("SET", "k", "v", "PX", 10)
    client("SET", "l", "v")
    clock.advance(11)
    assert client("KEYS", "*") == [b"l"]
    assert scan(client) == [b"l"]
    assert client("RANDOMKEY") == b"l"


def test_randomkey(client: LocalClient) -> None:
    assert client("RANDOMKEY") is None
    client("MSET", "a", 1, "b", 2)
    assert {client("RANDOMKEY") for _ in range(100)} == {b"a", b"b"}


@pytest.mark.parametrize("count", [1, 10, 1000, 9223372036854775807])
def test_scan_returns_every_key(client: LocalClient, count: int) -> None:
    expected = {b"key:%d" % i for i in range(500)}
    for key in expected:
        client("SET", key, "v")
    assert set(scan(client, "COUNT", count)) == expected


def test_scan_match(client: LocalClient) -> None:
    for i in range(100):
        client("SET", f"key:{i}", "v")
    assert sorted(scan(client, "MATCH", "key:1?")) == [b"key:1%d" % i for i in range(10)]
    assert len(scan(client, "match", "*")) == 100


def test_scan_type(client: LocalClient) -> None:
    client("MSET", "a", 1, "b", 2)
    assert sorted(scan(client, "TYPE", "STRING")) == [b"a", b"b"]
    assert scan(client, "TYPE", "list") == []
    assert client.error("SCAN", 0, "type", "No-Such") == "ERR unknown type name 'No-Such'"
    # It is refused where it stands, before what is wrong behind it.
    assert client.error("SCAN", 0, "TYPE", "no", "x") == "ERR unknown type name 'no'"
    assert client.error("SCAN", 0, "COUNT", 0, "TYPE", "no") == "ERR syntax error"


@pytest.mark.parametrize("cursor", ["x", "1 ", " 1", "1.0", "18446744073709551616", "+"])
def test_scan_with_a_cursor_that_is_none(client: LocalClient, cursor: str) -> None:
    assert client.error("SCAN", cursor) == "ERR invalid cursor"


@pytest.mark.parametrize("cursor", ["18446744073709551615", "007", ""])
def test_scan_with_a_cursor_of_its_own_kind(client: LocalClient, cursor: str) -> None:
    assert client("SCAN", cursor) == [b"0", []]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("FOO",), "ERR syntax error"),
        (("FOO", "1"), "ERR syntax error"),
        (("COUNT",), "ERR syntax error"),
        (("COUNT", "0"), "ERR syntax error"),
        (("COUNT", "x"), NOT_AN_INTEGER),
    ],
)
def test_scan_refuses(client: LocalClient, options: tuple[str, ...], message: str) -> None:
    assert client.error("SCAN", 0, *options) == message


@given(st.sets(st.binary(max_size=3), max_size=40), st.integers(1, 20), st.data())
def test_scan_guarantee(keys: set[bytes], count: int, data: st.DataObject) -> None:
    """What stays is returned, whatever comes and goes meanwhile."""
    from carnelian.engine.engine import Engine

    client = LocalClient(Engine(clock=ManualClock()))
    for key in keys:
        client("SET", key, "v")
    cursor, found = b"0", set()
    others = 0
    while True:
        reply = client("SCAN", cursor, "COUNT", count)
        assert isinstance(reply, list)
        cursor, part = reply
        found.update(part)
        if cursor == b"0":
            break
        for _ in range(data.draw(st.integers(0, 20))):
            client("SET", f"other:{others}", "v")
            others += 1
    assert keys <= found


def test_scan_leaves_expired_keys_alone_that_it_would_not_list(
    client: LocalClient, clock: ManualClock
) -> None:
    client("CONFIG", "SET", "notify-keyspace-events", "Ex")
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    for name in ("yes:1", "no:1"):
        client("SET", name, "v", "PX", 10)
    client("RPUSH", "yes:list", "v")
    client("PEXPIRE", "yes:list", 10)
    clock.advance(11)
    stats = client.engine.keyspace.stats
    assert scan(client, "MATCH", "yes:*", "TYPE", "string") == []
    assert (client("DBSIZE"), stats.expired) == (2, 1)
    assert scan(client, "TYPE", "hash") == []
    assert (client("DBSIZE"), stats.expired) == (2, 1)
    assert scan(client, "MATCH", "yes:*") == []
    assert (client("DBSIZE"), stats.expired) == (1, 2)
    assert scan(client, "MATCH", "*") == []
    assert (client("DBSIZE"), stats.expired) == (0, 3)
