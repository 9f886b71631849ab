"""Fields of hashes that expire: HEXPIRE and its kin, HSETEX, HGETEX and HGETDEL."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient, Recorder
from support.wire import Reply

NO_FIELDS = "ERR Mandatory argument FIELDS is missing or not at the right position"
MISMATCH = "ERR The `numfields` parameter must match the number of arguments"


@pytest.fixture
def listener(engine: Engine) -> LocalClient:
    """Hears of all events."""
    listener = LocalClient(engine)
    listener("CONFIG", "SET", "notify-keyspace-events", "KEA")
    listener("PSUBSCRIBE", "__keyevent@*")
    listener.messages()
    return listener


def heard(listener: LocalClient) -> list[bytes]:
    """The names of the events since the last look."""

    def name(message: Reply) -> bytes:
        return message.value[2].value.rsplit(b":", 1)[1]

    return [name(message) for message in listener.messages()]


def test_fields_go_when_their_time_is_over(client: LocalClient, clock: ManualClock) -> None:
    client("HSET", "h", "a", 1, "b", 2, "c", 3)
    assert client("HEXPIRE", "h", 10, "FIELDS", 2, "a", "x") == [1, -2]
    assert client("HPEXPIRE", "h", 5000, "FIELDS", 1, "b") == [1]
    assert client("OBJECT", "ENCODING", "h") == b"listpackex"
    assert client("HTTL", "h", "FIELDS", 4, "a", "b", "c", "x") == [10, 5, -1, -2]
    assert client("HPTTL", "h", "FIELDS", 2, "a", "b") == [10000, 5000]
    now = clock.ms
    assert client("HPEXPIRETIME", "h", "FIELDS", 1, "b") == [now + 5000]
    assert client("HEXPIRETIME", "h", "FIELDS", 1, "b") == [(now + 5000 + 999) // 1000]
    clock.advance(5001)
    assert client("HGETALL", "h") == [b"a", b"1", b"c", b"3"]
    assert client("HLEN", "h") == 2
    assert client("HGET", "h", "b") is None
    clock.advance(5000)
    assert client("HVALS", "h") == [b"3"]


def test_the_hash_goes_with_its_last_field(
    client: LocalClient, clock: ManualClock, listener: LocalClient, engine: Engine
) -> None:
    recorder = Recorder(engine)
    client("HSET", "h", "a", 1, "b", 2)
    client("HPEXPIRE", "h", 10, "FIELDS", 2, "a", "b")
    clock.advance(11)
    assert client("HGET", "h", "a") is None
    assert client("EXISTS", "h") == 0
    assert heard(listener) == [b"hset", b"hexpire", b"hexpired", b"del"]
    engine.before_sleep()
    moment = clock.ms - 1
    assert recorder.take() == [
        b"HSET h a 1 b 2",
        b"HPEXPIREAT h %d FIELDS 2 a b" % moment,
        b"HDEL h a b",
    ]
    assert b"expired_subkeys:2" in client("INFO", "stats").text


def test_nobody_has_to_ask(client: LocalClient, clock: ManualClock, engine: Engine) -> None:
    for number in range(300):
        client("HSET", f"h{number}", "a", 1, "b", 2)
        client("HPEXPIRE", f"h{number}", 10, "FIELDS", 1, "a")
    client("HSET", "big", *range(4000))
    client("HPEXPIRE", "big", 10, "FIELDS", 1000, *range(0, 2000, 2))
    client("RENAME", "big", "new")
    client("COPY", "h1", "copy")
    clock.advance(11)
    for _ in range(60):
        engine.cron(10)
    assert engine.keyspace.stats.expired_fields == 1301
    assert client("HLEN", "h299") == client("HLEN", "copy") == 1
    assert client("HLEN", "new") == 1000
    assert b"subexpiry=0" in client("INFO", "keyspace").text


def test_conditions(client: LocalClient) -> None:
    client("HSET", "h", "a", 1)

    def expire(seconds: int, condition: str) -> int:
        return client("HEXPIRE", "h", seconds, condition, "FIELDS", 1, "a")[0]

    assert expire(10, "XX") == expire(10, "GT") == 0
    assert expire(10, "LT") == 1
    assert expire(10, "NX") == 0
    assert expire(5, "GT") == expire(20, "LT") == 0
    assert expire(20, "GT") == expire(5, "lt") == expire(7, "XX") == 1
    assert client("HPERSIST", "h", "FIELDS", 2, "a", "x") == [1, -2]
    assert client("HPERSIST", "h", "FIELDS", 1, "a") == [-1]
    assert expire(7, "NX") == 1


def test_a_time_in_the_past(client: LocalClient, engine: Engine, listener: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    recorder = Recorder(engine)
    assert client("HEXPIRE", "h", 0, "FIELDS", 2, "a", "x") == [2, -2]
    assert client("HPEXPIREAT", "h", 1, "FIELDS", 1, "b") == [2]
    assert client("EXISTS", "h") == 0
    assert recorder.take() == [b"HDEL h a", b"HDEL h b"]
    assert heard(listener) == [b"hset", b"hdel", b"hdel", b"del"]


def test_errors(client: LocalClient) -> None:
    client("HSET", "h", "a", 1)
    assert client.error("HEXPIRE", "h", 1, "FIELD", 1, "a") == NO_FIELDS
    assert client.error("HEXPIRE", "h", 1, "NX", "XX", "FIELDS", 1, "a") == NO_FIELDS
    assert client.error("HTTL", "h", "FIELD", 1, "a") == NO_FIELDS
    assert client.error("HEXPIRE", "h", 1, "FIELDS", 2, "a") == MISMATCH
    assert client.error("HTTL", "h", "FIELDS", 1, "a", "b") == MISMATCH
    assert client.error("HEXPIRE", "h", 1, "FIELDS", 0, "a") == (
        "ERR Parameter `numFields` should be greater than 0"
    )
    for name in ("HTTL", "HPERSIST", "HGETDEL", "HGETEX"):
        assert client.error(name, "h", "FIELDS", 0, "a") == (
            "ERR Number of fields must be a positive integer"
        )
    negative = "ERR invalid expire time, must be >= 0"
    assert client.error("HEXPIRE", "h", -1, "FIELDS", 1, "a") == negative
    late = "ERR invalid expire time in 'hexpire' command"
    assert client.error("HEXPIRE", "h", 1 << 50, "FIELDS", 1, "a") == late
    late = "ERR invalid expire time in 'hpexpireat' command"
    assert client.error("HPEXPIREAT", "h", 1 << 46, "FIELDS", 1, "a") == late
    for name in ("HTTL", "HPTTL", "HPERSIST"):
        assert client(name, "no", "FIELDS", 1, "a") == [-2]
    assert client("HEXPIRE", "no", 1, "FIELDS", 2, "a", "b") == [-2, -2]


def test_setting_a_field_takes_its_time(client: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    client("HEXPIRE", "h", 10, "FIELDS", 2, "a", "b")
    client("HSET", "h", "a", 3)
    client("HINCRBY", "h", "b", 3)
    client("HINCRBYFLOAT", "h", "b", 3)
    assert client("HTTL", "h", "FIELDS", 2, "a", "b") == [-1, 10]


def test_hgetdel(client: LocalClient, engine: Engine, listener: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    recorder = Recorder(engine)
    assert client("HGETDEL", "no", "FIELDS", 1, "a") == [None]
    assert client("HGETDEL", "h", "FIELDS", 2, "a", "x") == [b"1", None]
    assert client("HGETDEL", "h", "FIELDS", 1, "x") == [None]
    assert client("HGETDEL", "h", "FIELDS", 1, "b") == [b"2"]
    assert recorder.take() == [b"HDEL h a", b"HDEL h b"]
    assert heard(listener) == [b"hset", b"hdel", b"hdel", b"del"]


def test_hgetex(client: LocalClient, engine: Engine, listener: LocalClient) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    recorder = Recorder(engine)
    assert client("HGETEX", "h", "FIELDS", 2, "a", "x") == [b"1", None]
    assert client("HGETEX", "h", "EX", 10, "FIELDS", 2, "a", "x") == [b"1", None]
    assert client("HTTL", "h", "FIELDS", 2, "a", "b") == [10, -1]
    assert client("HGETEX", "h", "PERSIST", "FIELDS", 2, "a", "b") == [b"1", b"2"]
    assert client("HGETEX", "h", "PXAT", 1, "FIELDS", 2, "a", "b") == [b"1", b"2"]
    assert client("EXISTS", "h") == 0
    assert heard(listener) == [b"hset", b"hexpire", b"hpersist", b"hdel", b"del"]
    moment = engine.clock.ms + 10000
    assert recorder.take() == [
        b"HPEXPIREAT h %d FIELDS 1 a" % moment,
        b"HPERSIST h FIELDS 1 a",
        b"HDEL h a b",
    ]


def test_hsetex(client: LocalClient, engine: Engine, listener: LocalClient) -> None:
    recorder = Recorder(engine)
    assert client("HSETEX", "h", "FXX", "FIELDS", 1, "a", 1) == 0
    assert client("HSETEX", "h", "FNX", "EX", 10, "FIELDS", 2, "a", 1, "b", 2) == 1
    assert client("HSETEX", "h", "FNX", "FIELDS", 2, "c", 1, "b", 2) == 0
    assert client("HSETEX", "h", "FXX", "FIELDS", 2, "c", 1, "b", 2) == 0
    assert client("HSETEX", "h", "KEEPTTL", "FIELDS", 1, "a", 5) == 1
    assert client("HTTL", "h", "FIELDS", 2, "a", "b") == [10, 10]
    assert client("HSETEX", "h", "FIELDS", 1, "a", 6) == 1
    assert client("HTTL", "h", "FIELDS", 2, "a", "b") == [-1, 10]
    assert client("HSETEX", "h", "PXAT", 1, "FIELDS", 2, "a", 7, "b", 7) == 1
    assert client("EXISTS", "h") == 0
    moment = engine.clock.ms + 10000
    assert recorder.take() == [
        b"HSETEX h FNX PXAT %d FIELDS 2 a 1 b 2" % moment,
        b"HSETEX h KEEPTTL FIELDS 1 a 5",
        b"HSETEX h FIELDS 1 a 6",
        b"HDEL h a b",
    ]
    assert heard(listener) == [b"hset", b"hexpire", b"hset", b"hset", b"hset", b"hdel", b"del"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("EX", 1, "PX", 1, "FIELDS", 1, "a", 1),
         "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"),
        (("FNX", "FXX", "FIELDS", 1, "a", 1),
         "ERR Only one of FXX or FNX arguments can be specified"),
        (("NX", "FIELDS", 1, "a", 1), "ERR unknown argument: NX"),
        (("FIELDS", 0, "a", 1, "x"), "ERR invalid number of fields"),
        (("FIELDS", 1, "a", 1, "x"), "ERR wrong number of arguments for 'hsetex' command"),
        (("FNX", "FIELDS", 1, "a"), "ERR wrong number of arguments for 'hsetex' command"),
        (("EX", -1, "FIELDS", 1, "a", 1), "ERR invalid expire time, must be >= 0"),
        (("FNX", "KEEPTTL", "FNX", "EX"),
         "ERR Only one of FXX or FNX arguments can be specified"),
    ],
)  # fmt: skip
def test_errors_of_hsetex(
    client: LocalClient, options: tuple[str | int, ...], message: str
) -> None:
    assert client.error("HSETEX", "h", *options) == message
    assert client("EXISTS", "h") == 0


def test_swapped_databases_keep_their_times(
    client: LocalClient, clock: ManualClock, engine: Engine
) -> None:
    client("HSET", "h", "a", 1, "b", 2)
    client("HPEXPIRE", "h", 10, "FIELDS", 1, "a")
    client("SWAPDB", 0, 1)
    clock.advance(11)
    engine.cron(10)
    assert engine.keyspace.stats.expired_fields == 1
