"""INCREX: what it replies, leaves and propagates."""

from __future__ import annotations

import pytest

import carnelian.commands.connections.client_commands
import carnelian.commands.keys
import carnelian.commands.lists
import carnelian.commands.strings  # noqa: F401
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder

MOST = 2**63 - 1
LEAST = -(2**63)


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    return Recorder(engine)


@pytest.mark.parametrize(
    ("former", "words", "reply"),
    [
        (None, "", [1, 1]),
        (10, "", [11, 1]),
        (100, "BYINT -10", [90, -10]),
        (5, "byint 0", [5, 0]),
        (5, "LBOUND 0 BYINT 100 UBOUND 10 SATURATE", [10, 5]),
        (10, "BYINT -100 LBOUND 0 SATURATE", [0, -10]),
        (5, "BYINT 5 UBOUND 10", [10, 5]),
        (5, "BYINT -5 LBOUND 0", [0, -5]),
        (50, "BYINT 5 UBOUND 30", [50, 0]),
        (50, "BYINT 5 UBOUND 30 SATURATE", [30, -20]),
        (-50, "BYINT -5 LBOUND -30 SATURATE", [-30, 20]),
        (50, "BYINT -25 UBOUND 30", [25, -25]),
        (50, "BYINT -5 UBOUND 30", [50, 0]),
        (None, "BYINT 5 LBOUND 10", [0, 0]),
        (None, "BYINT 15 UBOUND 10", [0, 0]),
        (None, "BYINT 5 LBOUND 10 SATURATE", [10, 10]),
        (MOST - 7, f"BYINT {MOST}", [MOST - 7, 0]),
        (MOST - 7, f"BYINT {MOST} SATURATE", [MOST, 7]),
        (LEAST + 8, f"BYINT {LEAST} SATURATE", [LEAST, -8]),
        (LEAST + 8, f"BYINT -9 LBOUND {LEAST}", [LEAST + 8, 0]),
        (1, f"BYINT 5 LBOUND {LEAST} UBOUND {MOST}", [6, 5]),
    ],
)
def test_integers(client: LocalClient, former: int | None, words: str, reply: list) -> None:
    if former is not None:
        client("SET", "k", former)
    assert client("INCREX", "k", *words.split()) == reply
    left = None if former is None and reply[1] == 0 else b"%d" % reply[0]
    assert client("GET", "k") == left
    if left is not None:
        assert client("OBJECT", "ENCODING", "k") == b"int"


@pytest.mark.parametrize(
    ("former", "words", "reply"),
    [
        (None, "BYFLOAT 1.5", [b"1.5", b"1.5"]),
        ("1.5", "BYFLOAT 0.25", [b"1.75", b"0.25"]),
        ("3", "BYFLOAT -1", [b"2", b"-1"]),
        ("0.1", "BYFLOAT 0.2", [b"0.3", b"0.2"]),
        ("10", "BYFLOAT 100 UBOUND 42.5 SATURATE", [b"42.5", b"32.5"]),
        ("0", "BYFLOAT -100 LBOUND -5.5 SATURATE", [b"-5.5", b"-5.5"]),
        ("10", "BYFLOAT 10.0 UBOUND 15.5", [b"10", b"0"]),
        ("5", "BYFLOAT 5 UBOUND 10", [b"10", b"5"]),
        ("50.5", "BYFLOAT 5.5 UBOUND 30 SATURATE", [b"30", b"-20.5"]),
        ("-50.5", "BYFLOAT -5.5 LBOUND -30 SATURATE", [b"-30", b"20.5"]),
        (None, "BYFLOAT -0.5 UBOUND -1.5", [b"0", b"0"]),
    ],
)
def test_floats(client: LocalClient, former: str | None, words: str, reply: list) -> None:
    if former is not None:
        client("SET", "k", former)
    assert client("INCREX", "k", *words.split()) == reply
    assert client("GET", "k") == (None if former is None and reply[1] == b"0" else reply[0])


def test_a_sum_that_is_too_large_is_out_of_bounds(client: LocalClient) -> None:
    client("SET", "k", "1e4932")
    former = client("INCREX", "k", "BYFLOAT", "0")[0]
    assert client("INCREX", "k", "BYFLOAT", "1e4932") == [former, b"0"]
    sum_, delta = client("INCREX", "k", "BYFLOAT", "1e4932", "SATURATE")
    assert sum_.startswith(b"1189731495357231765") and len(sum_) == 4933
    assert delta.startswith(b"1897314953572317650")


def test_floats_are_doubles_in_resp3(engine: Engine) -> None:
    client = LocalClient(engine, protocol=3)
    reply = client.call("INCREX", "k", "BYFLOAT", "0.1")
    assert [(part.kind, part.text) for part in reply.items] == [(b",", b"0.1"), (b",", b"0.1")]
    assert client.call("INCREX", "n").items[0].kind == b":"
    client("SET", "k", "1e17")
    assert client.call("INCREX", "k", "BYFLOAT", "1e17").items[0].text == b"2" + 17 * b"0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("FOO", "syntax error"),
        ("SAT", "syntax error"),
        ("BYINT", "syntax error"),
        ("BYINT 1 BYFLOAT 1.5", "syntax error"),
        ("BYINT 1 BYINT 2", "syntax error"),
        ("LBOUND 0 LBOUND 1", "syntax error"),
        ("UBOUND 0 UBOUND 1", "syntax error"),
        ("SATURATE SATURATE", "syntax error"),
        ("EX 10 PX 5000", "syntax error"),
        ("EX 10 EX 10", "syntax error"),
        ("EX 10 PERSIST", "syntax error"),
        ("PERSIST EX 10", "syntax error"),
        ("PERSIST PERSIST", "syntax error"),
        ("PERSIST ENX", "syntax error"),
        ("ENX PERSIST", "syntax error"),
        ("ENX ENX EX 10", "syntax error"),
        ("ENX", "ENX flag requires an expiration"),
        ("BYINT 1.5", "Increment is not an integer or out of range"),
        ("UBOUND abc", "UBOUND is not an integer or out of range"),
        ("LBOUND 1.5", "LBOUND is not an integer or out of range"),
        ("BYFLOAT abc", "Increment is not a valid float"),
        ("BYFLOAT 1 UBOUND x", "UBOUND is not a valid float"),
        ("BYFLOAT inf", "BYFLOAT increment cannot be Infinity"),
        ("BYFLOAT -inf", "BYFLOAT increment cannot be Infinity"),
        ("LBOUND 10 UBOUND 5", "LBOUND can't be greater than UBOUND"),
        ("BYFLOAT 1 LBOUND 10.5 UBOUND 1.5", "LBOUND can't be greater than UBOUND"),
        ("EX 0", "invalid expire time in 'increx' command"),
        ("PX -1", "invalid expire time in 'increx' command"),
        ("EX x", "value is not an integer or out of range"),
    ],
)
def test_malformed(client: LocalClient, words: str, message: str) -> None:
    assert client.error("INCREX", "k", *words.split()) == f"ERR {message}"
    assert client("EXISTS", "k") == 0


def test_values_that_are_no_numbers(client: LocalClient) -> None:
    client("RPUSH", "list", "a")
    client("SET", "text", "hello")
    client("SET", "float", "1.5")
    client("SET", "infinite", "inf")
    client("SET", "high", MOST - 7)
    for words in ((), ("BYFLOAT", "1")):
        assert client.error("INCREX", "list", *words).startswith("WRONGTYPE")
    assert client.error("INCREX", "text") == "ERR value is not an integer or out of range"
    assert client.error("INCREX", "float") == "ERR value is not an integer or out of range"
    assert client.error("INCREX", "text", "BYFLOAT", 1) == "ERR value is not a valid float"
    assert client.error("INCREX", "infinite", "BYFLOAT", 1) == "ERR value cannot be Infinity"
    assert client.error("INCREX", "high", "UBOUND", LEAST, "SATURATE") == (
        "ERR applied increment would overflow"
    )
    assert client("GET", "high") == b"%d" % (MOST - 7)


def test_lifetimes(client: LocalClient, clock: ManualClock) -> None:
    now = clock.wall_ms()
    client("INCREX", "k", "EX", 100)
    assert client("PEXPIRETIME", "k") == now + 100_000
    client("INCREX", "k")
    assert client("PEXPIRETIME", "k") == now + 100_000
    assert client("INCREX", "k", "BYINT", 1, "PX", 5, "ENX") == [3, 1]
    assert client("PEXPIRETIME", "k") == now + 100_000
    client("INCREX", "k", "PXAT", now + 7)
    assert client("PEXPIRETIME", "k") == now + 7
    assert client("INCREX", "k", "BYINT", 100, "UBOUND", 5, "EX", 100) == [4, 0]
    assert client("PEXPIRETIME", "k") == now + 7
    client("INCREX", "k", "BYINT", 100, "UBOUND", 5, "EX", 100, "SATURATE")
    assert client("PEXPIRETIME", "k") == now + 100_000
    client("INCREX", "k", "PERSIST")
    assert client("TTL", "k") == -1
    client("INCREX", "k", "PX", 50, "ENX")
    assert client("PTTL", "k") == 50
    assert client("INCREX", "k", "EXAT", 1, "ENX") == [8, 1]
    assert client("INCREX", "k", "EXAT", 1) == [9, 1]
    assert client("EXISTS", "k") == 0
    assert client("INCREX", "k", "PXAT", 1) == [1, 1]
    assert client("EXISTS", "k") == 0


def test_what_goes_out(client: LocalClient, recorder: Recorder, clock: ManualClock) -> None:
    now = clock.wall_ms()
    client("INCREX", "k", "BYINT", 15)
    client("INCREX", "k", "BYFLOAT", "0.5")
    client("INCREX", "k", "BYFLOAT", "0.5", "EX", 100)
    client("INCREX", "k", "EX", 10, "ENX")
    client("INCREX", "k", "BYINT", 100, "UBOUND", 80, "SATURATE", "PERSIST")
    client("INCREX", "k", "UBOUND", 80)
    client("INCREX", "k", "PXAT", 1)
    client("INCREX", "k", "PXAT", 1)
    assert recorder.take() == [
        b"SET k 15 KEEPTTL", b"SET k 15.5 KEEPTTL", b"SET k 16 PXAT %d" % (now + 100_000),
        b"SET k 17 KEEPTTL", b"SET k 80", b"DEL k",
    ]  # fmt: skip


def test_events(engine: Engine, client: LocalClient) -> None:
    client("CONFIG", "SET", "notify-keyspace-events", "EA")
    listener = LocalClient(engine)
    listener("PSUBSCRIBE", "__keyevent*")
    listener.messages()
    client("INCREX", "k", "EX", 100)
    client("INCREX", "k", "BYFLOAT", "0.5", "PERSIST")
    client("INCREX", "k", "BYFLOAT", "0.5", "UBOUND", 1)
    client("INCREX", "k", "BYFLOAT", "1", "PXAT", 1)
    assert [message.items[2].text.partition(b":")[2] for message in listener.messages()] == [
        b"incrby", b"expire", b"incrbyfloat", b"persist", b"del",
    ]  # fmt: skip
