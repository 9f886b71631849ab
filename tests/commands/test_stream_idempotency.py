"""XADD with IDMP and IDMPAUTO, XCFGSET and XIDMPRECORD: entries that are sent again."""

from __future__ import annotations

import pytest

import carnelian.commands.administration.memory_commands
import carnelian.commands.connections.client_commands
import carnelian.commands.keys
import carnelian.commands.streams  # noqa: F401
from carnelian.datatypes.base import memory
from carnelian.datatypes.streams.producers import Idempotency
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    return Recorder(engine)


def known(client: LocalClient, key: str = "s") -> list[int]:
    """What XINFO STREAM says: duration, size, producers, names, added and duplicates."""
    reply = client("XINFO", "STREAM", key)
    place = reply.index(b"idmp-duration")
    assert reply[place : place + 12 : 2] == [
        b"idmp-duration", b"idmp-maxsize", b"pids-tracked", b"iids-tracked", b"iids-added",
        b"iids-duplicates",
    ]  # fmt: skip
    assert reply[place - 2] == b"recorded-first-entry-id"
    assert reply[place + 12] == b"groups"
    full = client("XINFO", "STREAM", key, "FULL")
    place = full.index(b"idmp-duration")
    assert full[place + 12] == b"entries"
    return full[place + 1 : place + 12 : 2]


def add(client: LocalClient, *words: str | int) -> bytes:
    return client("XADD", "s", "IDMP", *words, "*", "f", "v")


def test_an_entry_that_comes_again_is_there_already(
    client: LocalClient, clock: ManualClock
) -> None:
    first = client("XADD", "s", "IDMP", "p", "a", "*", "f", "v")
    clock.advance(5)
    assert client("XADD", "s", "idmp", "p", "a", "*", "other", "x") == first
    other = client("XADD", "s", "IDMP", "q", "a", "*", "f", "v")
    third = client("XADD", "s", "IDMP", "p", "b", "*", "f", "v")
    assert len({first, other, third}) == 3
    assert client("XRANGE", "s", "-", "+")[0] == [first, [b"f", b"v"]]
    assert client("XLEN", "s") == 3
    assert known(client) == [100, 100, 2, 3, 3, 1]
    client("XDEL", "s", first)
    assert client("XADD", "s", "IDMP", "p", "a", "*", "f", "v") == first
    assert client("XLEN", "s") == 2


def test_names_may_be_made_of_the_content(client: LocalClient) -> None:
    first = client("XADD", "s", "IDMPAUTO", "p", "*", "a", "1", "b", "2")
    assert client("XADD", "s", "IDMPAUTO", "p", "*", "b", "2", "a", "1") == first
    others = [
        client("XADD", "s", "IDMPAUTO", *words.split())
        for words in ("q * a 1 b 2", "p * a 2 b 1", "p * a 1", "p * a1 b 2 x", "p * a 1 b 2 b 2")
    ]
    assert len({first, *others}) == 6
    assert known(client) == [100, 100, 2, 6, 6, 1]


def test_names_made_of_the_content_are_those_of_redis(client: LocalClient) -> None:
    """The hash of each field, its length in 8 bytes and its value; sums and xors of these."""
    for words, name in (
        ("f v", "6e95729ee727f0814aedffba55730079"),
        ("b 2 a 1", "c5b282935f77a53123e1ff7a302a11f2"),
    ):
        first = client("XADD", "s", "IDMPAUTO", "p", "*", *words.split())
        assert client("XADD", "s", "IDMP", "p", bytes.fromhex(name), "*", "f", "v") == first
    assert client("XLEN", "s") == 2


def test_other_options_stand_beside_it(client: LocalClient) -> None:
    assert client("XADD", "s", "NOMKSTREAM", "IDMP", "p", "a", "*", "f", "v") is None
    assert client("EXISTS", "s") == 0
    for i in range(3):
        client("XADD", "s", "*", "f", i)
    words = ("KEEPREF", "IDMP", "p", "a", "MAXLEN", "=", 2, "*", "f", "v")
    first = client("XADD", "s", *words)
    assert client("XLEN", "s") == 2
    client("XADD", "s", "*", "f", "v")
    assert client("XADD", "s", "NOMKSTREAM", *words) == first
    assert client("XLEN", "s") == 3


def test_names_are_known_for_some_time(client: LocalClient, clock: ManualClock) -> None:
    client("XADD", "s", "*", "f", "v")
    assert client("XCFGSET", "s", "IDMP-DURATION", 2) == b"OK"
    first = add(client, "p", "a")
    clock.advance(1999)
    assert add(client, "p", "a") == first
    clock.advance(1)
    assert known(client) == [2, 100, 0, 0, 1, 1]
    second = add(client, "p", "a")
    assert second != first
    clock.advance(2000)
    third = add(client, "p", "a")
    assert third != second
    assert add(client, "p", "a") == third


def test_so_many_names_of_a_producer_are_known(client: LocalClient) -> None:
    client("XADD", "s", "*", "f", "v")
    client("XCFGSET", "s", "IDMP-MAXSIZE", 3)
    ids = [add(client, "p", name) for name in "abcd"]
    other = add(client, "q", "a")
    assert [add(client, "p", name) for name in "bcd"] == ids[1:]
    assert add(client, "q", "a") == other
    assert add(client, "p", "a") != ids[0]
    assert add(client, "p", "c") == ids[2]
    assert known(client) == [100, 3, 2, 4, 6, 5]


def test_settings_that_change_make_a_stream_forget(client: LocalClient) -> None:
    first = add(client, "p", "a")
    assert client("XCFGSET", "s", "IDMP-DURATION", 100, "idmp-maxsize", 100) == b"OK"
    assert add(client, "p", "a") == first
    assert client("XCFGSET", "s", "IDMP-MAXSIZE", 99) == b"OK"
    assert known(client) == [100, 99, 0, 0, 1, 1]
    assert add(client, "p", "a") != first


def test_settings_that_stay_are_no_change(client: LocalClient, engine: Engine) -> None:
    add(client, "p", "a")
    before = engine.keyspace.dirty
    assert client("XCFGSET", "s", "IDMP-DURATION", 100) == b"OK"
    assert engine.keyspace.dirty == before
    assert client("XCFGSET", "s", "IDMP-DURATION", 99) == b"OK"
    assert engine.keyspace.dirty == before + 1


def test_new_streams_begin_with_the_settings_of_the_server(client: LocalClient) -> None:
    client("CONFIG", "SET", "stream-idmp-duration", 7, "stream-idmp-maxsize", 9)
    add(client, "p", "a")
    assert known(client) == [7, 9, 1, 1, 1, 0]
    client("CONFIG", "SET", "stream-idmp-duration", 8)
    assert known(client)[:2] == [7, 9]
    client("XADD", "t", "*", "f", "v")
    assert known(client, "t")[:2] == [8, 9]
    for name, value in (("duration", 0), ("duration", 86401), ("maxsize", 0), ("maxsize", 10001)):
        assert client.error("CONFIG", "SET", f"stream-idmp-{name}", value).startswith("ERR")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("IDMP p * f v", "Invalid stream ID specified as stream command argument"),
        (
            "IDMP p a 1-1 f v",
            "syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs",
        ),
        (
            "IDMPAUTO p 1-* f v",
            "syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs",
        ),
        ("IDMP p a IDMP q b * f v", "syntax error, IDMP/IDMPAUTO specified multiple times"),
        ("IDMPAUTO p IDMP q b * f v", "syntax error, IDMP/IDMPAUTO specified multiple times"),
        ("IDMP p a IDMPAUTO q * f v", "syntax error, IDMP/IDMPAUTO specified multiple times"),
        ("IDMP _ a * f v", "syntax error, IDMP requires a non-empty producer ID"),
        ("IDMP p _ * f v", "syntax error, IDMP requires a non-empty idempotent ID"),
        ("IDMPAUTO _ * f v", "syntax error, IDMPAUTO requires a non-empty producer ID"),
        ("IDMP p a * f", "wrong number of arguments for 'xadd' command"),
    ],
)
def test_malformed_xadd(client: LocalClient, words: str, message: str) -> None:
    command = ["" if word == "_" else word for word in words.split()]
    assert client.error("XADD", "s", *command) == f"ERR {message}"
    assert client("EXISTS", "s") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "At least one parameter must be specified"),
        ("IDMP-DURATION", "syntax error"),
        ("INVALID 5", "syntax error"),
        ("IDMP-DURATION 5 IDMP-MAXSIZE", "syntax error"),
        ("IDMP-DURATION A IDMP-MAXSIZE", "value is not an integer or out of range"),
        ("IDMP-MAXSIZE 000", "value is not an integer or out of range"),
        ("IDMP-MAXSIZE 5 IDMP-MAXSIZE 6", "IDMP-MAXSIZE specified multiple times"),
        ("idmp-duration 5 IDMP-DURATION 5", "IDMP-DURATION specified multiple times"),
        ("IDMP-DURATION 0", "IDMP-DURATION must be between 1 and 86400 seconds"),
        ("IDMP-DURATION 86401", "IDMP-DURATION must be between 1 and 86400 seconds"),
        ("IDMP-MAXSIZE -50", "IDMP-MAXSIZE must be between 1 and 10000 entries"),
        ("IDMP-MAXSIZE 10001", "IDMP-MAXSIZE must be between 1 and 10000 entries"),
    ],
)
def test_malformed_settings(client: LocalClient, words: str, message: str) -> None:
    add(client, "p", "a")
    assert client.error("XCFGSET", "s", *words.split()) == f"ERR {message}"
    assert known(client) == [100, 100, 1, 1, 1, 0]


def test_settings_are_for_streams_that_are_there(client: LocalClient) -> None:
    assert client.error("XCFGSET", "none", "IDMP-DURATION", 5) == "ERR no such key"
    assert client.error("XCFGSET", "none") == "ERR no such key"
    assert client.error("XIDMPRECORD", "none", "p", "a", "1-1") == "ERR no such key"


def test_an_entry_may_get_a_name_later(client: LocalClient, clock: ManualClock) -> None:
    first = client("XADD", "s", "*", "f", "v")
    other = client("XADD", "s", "*", "f", "v")
    assert client("XIDMPRECORD", "s", "p", "a", first) == b"OK"
    assert client("XIDMPRECORD", "s", "p", "a", first) == b"OK"
    assert client.error("XIDMPRECORD", "s", "p", "a", other) == (
        "ERR IID already exists for this producer with a different stream ID"
    )
    missing = "ERR No such message in stream"
    assert client.error("XIDMPRECORD", "s", "p", "b", "1-1") == missing
    for key in ("s", "none"):
        no_producer = client.error("XIDMPRECORD", key, "", "", first)
        assert no_producer == "ERR producer ID must be non-empty"
        no_name = client.error("XIDMPRECORD", key, "p", "", first)
        assert no_name == "ERR idempotent ID must be non-empty"
    assert "Invalid stream ID" in client.error("XIDMPRECORD", "s", "p", "b", "x")
    assert add(client, "p", "a") == first
    assert known(client) == [100, 100, 1, 1, 1, 1]


def test_what_goes_out(
    client: LocalClient, engine: Engine, recorder: Recorder, clock: ManualClock
) -> None:
    now = clock.wall_ms()
    client("XADD", "s", "IDMP", "p", "a", "MAXLEN", "~", 9, "*", "f", "v")
    client("XADD", "s", "MAXLEN", "~", 9, "IDMPAUTO", "p", "*", "f", "v")
    before = engine.keyspace.dirty
    client("XADD", "s", "IDMP", "p", "a", "*", "long", "value")
    assert engine.keyspace.dirty == before + 1
    client("XCFGSET", "s", "IDMP-DURATION", 9)
    first, second, *others = recorder.take()
    assert first == b"XADD s IDMP p a MAXLEN = 1 %d-0 f v" % now
    assert second.startswith(b"XADD s MAXLEN = 2 IDMP p ")
    assert second.endswith(b" %d-1 f v" % now)
    assert others == [b"XADD s IDMP p a %d-0 long " % now, b"XCFGSET s IDMP-DURATION 9"]


def test_a_duplicate_is_no_change_for_who_watches(client: LocalClient, engine: Engine) -> None:
    add(client, "p", "a")
    other = LocalClient(engine)
    client("WATCH", "s")
    add(other, "p", "a")
    client("MULTI")
    client("PING")
    assert client("EXEC") == [b"PONG"]


def test_copies_know_what_the_other_knew(client: LocalClient) -> None:
    first = add(client, "p", "a")
    client("COPY", "s", "t")
    client("RENAME", "s", "u")
    for key in "tu":
        assert client("XADD", key, "IDMP", "p", "a", "*", "f", "v") == first
        assert known(client, key) == [100, 100, 1, 1, 1, 1]


def test_memory_is_counted(client: LocalClient, clock: ManualClock) -> None:
    add(client, "p", "a")
    usage = client("MEMORY", "USAGE", "s")
    used = memory.used()
    for i in range(50):
        add(client, "producer", f"{i}")
    client("XTRIM", "s", "MAXLEN", 1)
    assert client("MEMORY", "USAGE", "s") > usage + 50 * 200
    assert memory.used() > used + 50 * 200
    clock.advance(200_000)
    known(client)
    assert client("MEMORY", "USAGE", "s") < usage + 300
    assert memory.used() < used + 1000


def test_producers_that_are_gone_are_forgotten() -> None:
    before = memory.used()
    remembered = Idempotency(10, 5)
    for i in range(8):
        remembered.load(b"p", b"%d" % i, (1000 + i, 0))
    remembered.load(b"q", b"a", (5000, 1))
    assert remembered.sizes() == (2, 6)
    assert list(remembered)[-1] == (b"q", b"a", (5000 << 64) + 1)
    remembered.forget_idle(11_006)
    assert remembered.sizes() == (2, 6)
    remembered.forget_idle(11_007)
    assert remembered.sizes() == (1, 1)
    remembered.forget_idle(15_000)
    assert remembered.sizes() == (0, 0)
    del remembered
    assert memory.used() == before
