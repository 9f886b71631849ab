"""DUMP and RESTORE: options, errors, events, and what is propagated."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder


@pytest.fixture
def payload(client: LocalClient) -> bytes:
    client("SET", "source", "value")
    return client("DUMP", "source")


def test_dump_of_a_text(payload: bytes) -> None:
    assert payload == b"\0\x05value\x0a\0" + payload[-8:]


def test_dump_of_nothing(client: LocalClient) -> None:
    assert client("DUMP", "nothing") is None


def test_restore(client: LocalClient, payload: bytes) -> None:
    assert client("RESTORE", "k", 0, payload) == b"OK"
    assert client("GET", "k") == b"value"
    assert client("TTL", "k") == -1


def test_busy_key(client: LocalClient, payload: bytes) -> None:
    expected = "BUSYKEY Target key name already exists."
    assert client.error("RESTORE", "source", 0, payload) == expected
    assert client("RESTORE", "source", 0, payload, "replace") == b"OK"


def test_time_to_live(client: LocalClient, payload: bytes, clock: ManualClock) -> None:
    client("RESTORE", "k", 5000, payload)
    assert client("PTTL", "k") == 5000
    client("RESTORE", "k", clock.ms + 70, payload, "REPLACE", "ABSTTL")
    assert client("PTTL", "k") == 70


def test_time_that_is_over(client: LocalClient, engine: Engine, payload: bytes) -> None:
    recorder = Recorder(engine)
    assert client("RESTORE", "k", 1, payload, "ABSTTL") == b"OK"
    assert client("EXISTS", "k") == 0
    assert recorder.take() == []
    client("RESTORE", "source", 1, payload, "ABSTTL", "REPLACE")
    assert client("EXISTS", "source") == 0
    assert recorder.take() == [b"DEL source"]


def test_idle_time_and_frequency(client: LocalClient, payload: bytes) -> None:
    client("RESTORE", "k", 0, payload, "IDLETIME", 1000)
    assert client("OBJECT", "IDLETIME", "k") == 1000
    client("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    client("RESTORE", "l", 0, payload, "FREQ", 100)
    assert client("OBJECT", "FREQ", "l") == 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((0, b"x"), "ERR DUMP payload version or checksum are wrong"),
        ((0, b""), "ERR DUMP payload version or checksum are wrong"),
        ((-1, b"x"), "ERR Invalid TTL value, must be >= 0"),
        (("x", b"x"), "ERR value is not an integer or out of range"),
        ((0, b"x", "WRONG"), "ERR syntax error"),
        ((0, b"x", "FREQ"), "ERR syntax error"),
        ((0, b"x", "FREQ", 1, "IDLETIME", 1), "ERR syntax error"),
        ((0, b"x", "FREQ", 256), "ERR Invalid FREQ value, must be >= 0 and <= 255"),
        ((0, b"x", "IDLETIME", -1), "ERR Invalid IDLETIME value, must be >= 0"),
        ((0, b"x", "IDLETIME", "x"), "ERR value is not an integer or out of range"),
    ],
)
def test_errors(client: LocalClient, words: tuple, message: str) -> None:
    assert client.error("RESTORE", "k", *words) == message


def test_flipped_bytes(client: LocalClient, payload: bytes) -> None:
    for at in range(len(payload)):
        damaged = bytearray(payload)
        damaged[at] ^= 0x10
        expected = "ERR DUMP payload version or checksum are wrong"
        assert client.error("RESTORE", "k", 0, bytes(damaged)) == expected


def test_versions_that_nobody_knows(client: LocalClient, payload: bytes) -> None:
    from carnelian.persistence.bytes import crc64

    body = payload[:-10] + b"\x0f\0"
    data = body + crc64.of(body).to_bytes(8, "little")
    expected = "ERR DUMP payload version or checksum are wrong"
    assert client.error("RESTORE", "k", 0, data) == expected


def test_propagation(
    client: LocalClient, engine: Engine, payload: bytes, clock: ManualClock
) -> None:
    recorder = Recorder(engine)
    client("RESTORE", "k", 0, payload)
    assert recorder.take() == [b"RESTORE k 0 " + payload]
    client("RESTORE", "l", 100, payload)
    assert recorder.take() == [b"RESTORE l %d %s ABSTTL" % (clock.ms + 100, payload)]


def test_event(client: LocalClient, payload: bytes, engine: Engine) -> None:
    client("CONFIG", "SET", "notify-keyspace-events", "KEA")
    listener = LocalClient(engine)
    listener("SUBSCRIBE", "__keyspace@0__:k")
    listener.messages()
    client("RESTORE", "k", 0, payload)
    assert [message.items[2].text for message in listener.messages()] == [b"restore"]
