"""HOTKEYS."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.engine.hotkeys import HotKeys
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient


def report(client: LocalClient) -> dict[str, object]:
    """What GET tells, names as text."""
    [found] = client("HOTKEYS", "GET")
    return {name.decode(): value for name, value in found.items()}


def pairs(flat: object) -> dict[bytes, int]:
    assert isinstance(flat, list)
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_a_session(client: LocalClient, clock: ManualClock) -> None:
    assert client("HOTKEYS", "GET") is None
    assert client("HOTKEYS", "STOP") is None
    assert client("HOTKEYS", "START", "METRICS", 2, "cpu", "NET") == b"OK"
    assert client.error("HOTKEYS", "START", "METRICS", 1, "CPU") == (
        "ERR hotkey tracking session already in progress"
    )
    assert client.error("HOTKEYS", "RESET") == (
        "ERR hotkey tracking session in progress, stop tracking first"
    )
    began = clock.wall_ms()
    client("PING")
    client("SET", "k", "value")
    client("GET", "k")
    client("MGET", "k", "other")
    clock.advance(1500)
    assert report(client)["tracking-active"] == 1
    assert client("HOTKEYS", "STOP") == b"OK"
    clock.advance(1500)
    client("SET", "late", 1)
    found = report(client)
    assert list(found) == [
        "tracking-active", "sample-ratio", "selected-slots", "all-commands-all-slots-us",
        "net-bytes-all-commands-all-slots", "collection-start-time-unix-ms",
        "collection-duration-ms", "total-cpu-time-user-ms", "total-cpu-time-sys-ms",
        "total-net-bytes", "by-cpu-time-us", "by-net-bytes",
    ]  # fmt: skip
    assert (found["tracking-active"], found["sample-ratio"]) == (0, 1)
    assert found["selected-slots"] == [[0, 16383]]
    assert found["collection-start-time-unix-ms"] == began
    assert found["collection-duration-ms"] == 1500
    # SET takes 31 bytes and 5 for +OK, GET 20 and 11, MGET for both keys 52.
    assert pairs(found["by-net-bytes"]) == {b"k": 36 + 31 + 26, b"other": 26}
    assert found["total-net-bytes"] == 36 + 31 + 52
    assert found["net-bytes-all-commands-all-slots"] == 36 + 31 + 52
    assert client("HOTKEYS", "RESET") == b"OK"
    assert client("HOTKEYS", "GET") is None
    assert client.engine.gatherers is None


def test_time_goes_to_the_keys_of_what_exec_runs() -> None:
    client = LocalClient(Engine())
    client("SADD", "big", *range(20_000))
    client("HOTKEYS", "START", "METRICS", 1, "CPU")
    client("MULTI")
    client("SMEMBERS", "big")
    client("SET", "small", 1)
    client("EXEC")
    client("HOTKEYS", "STOP")
    found = report(client)
    assert next(iter(pairs(found["by-cpu-time-us"]))) == b"big"
    assert "by-net-bytes" not in found and "total-net-bytes" not in found


def test_only_traffic(client: LocalClient) -> None:
    client("HOTKEYS", "START", "METRICS", 2, "GPU", "NET", "COUNT", 2)
    for number in range(5):
        client("SET", f"k{number}", "x" * 10 * number)
    found = report(client)
    assert list(pairs(found["by-net-bytes"])) == [b"k4", b"k3"]
    assert not {"by-cpu-time-us", "total-cpu-time-user-ms"} & set(found)


def test_the_form_of_the_reply(client: LocalClient) -> None:
    client("HOTKEYS", "START", "METRICS", 1, "NET")
    assert [part.value for part in client.call("HOTKEYS", "GET").value[0].value][:2] == [
        b"tracking-active", 1,
    ]  # fmt: skip
    client("HELLO", 3)
    assert client.call("HOTKEYS", "GET").value[0].kind == b"%"


def test_it_ends_by_itself(client: LocalClient, clock: ManualClock) -> None:
    client("HOTKEYS", "START", "METRICS", 1, "NET", "DURATION", 2)
    client("SET", "a", 1)
    clock.advance(1999)
    client("SET", "b", 1)
    clock.advance(1)
    client("SET", "c", 1)
    found = report(client)
    assert (found["tracking-active"], found["collection-duration-ms"]) == (0, 2000)
    assert set(pairs(found["by-net-bytes"])) == {b"a", b"b"}
    assert client("HOTKEYS", "STOP") is None
    assert client("HOTKEYS", "START", "METRICS", 1, "NET") == b"OK"
    assert report(client)["by-net-bytes"] == []


def test_samples(client: LocalClient) -> None:
    client("HOTKEYS", "START", "METRICS", 1, "NET", "SAMPLE", 10)
    for _ in range(2000):
        client("SET", "k", "v")
    found = report(client)
    assert found["sample-ratio"] == 10
    assert found["net-bytes-all-commands-all-slots"] == 2000 * 32
    assert 100 * 32 < pairs(found["by-net-bytes"])[b"k"] < 320 * 32


def test_many_keys_take_little_room(client: LocalClient) -> None:
    client("HOTKEYS", "START", "METRICS", 1, "NET", "COUNT", 1)
    for number in range(2000):
        client("SET", f"cold{number}", 1)
        client("SET", "hot", 1)
    assert list(pairs(report(client)["by-net-bytes"])) == [b"hot"]
    gathered = next(iter(client.engine.gatherers or ()))
    assert isinstance(gathered, HotKeys)
    assert gathered.net is not None and len(gathered.net._sums) <= 256


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "METRICS parameter is required"),
        ("METRICS", "METRICS parameter is required"),
        ("COUNT 5 METRICS 1 CPU", "METRICS parameter is required"),
        ("METRICS 0", "METRICS count must be > 0 and <= 2"),
        ("METRICS -1 CPU", "METRICS count must be > 0 and <= 2"),
        ("METRICS x CPU", "METRICS count must be > 0 and <= 2"),
        ("METRICS 3 CPU NET", "METRICS count must be > 0 and <= 2"),
        ("METRICS 2 CPU", "METRICS count does not match number of metric types provided"),
        ("METRICS 1 CPU NET", "syntax error"),
        ("METRICS 1 GPU", "METRICS no valid metrics passed. Supported: CPU|NET"),
        ("METRICS 2 CPU CPU", "METRICS CPU defined more than once!"),
        ("METRICS 2 NET NET", "METRICS NET defined more than once!"),
        ("METRICS 1 CPU COUNT 0", "COUNT must be between 1 and 64"),
        ("METRICS 1 CPU COUNT 65", "COUNT must be between 1 and 64"),
        ("METRICS 1 CPU COUNT", "syntax error"),
        ("METRICS 1 CPU DURATION 0", "DURATION must be between 1 and 1000000"),
        ("METRICS 1 CPU DURATION 1000001", "DURATION must be between 1 and 1000000"),
        ("METRICS 1 CPU SAMPLE 0", "SAMPLE ratio must be positive"),
        ("METRICS 1 CPU SAMPLE 2147483648", "SAMPLE ratio must be positive"),
        ("METRICS 1 CPU SLOTS 1 0", "SLOTS parameter cannot be used in non-cluster mode"),
        ("METRICS 1 CPU NONSENSE 1", "syntax error"),
    ],
)
def test_errors(client: LocalClient, words: str, message: str) -> None:
    assert client.error("HOTKEYS", "START", *words.split()) == f"ERR {message}"
    assert client("HOTKEYS", "GET") is None
