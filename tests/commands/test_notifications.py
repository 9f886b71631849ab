"""Notifications that came after Redis 7.0: values that are replaced, and fields of hashes."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient


def listening(engine: Engine, classes: str) -> LocalClient:
    """A client that hears of all events of these classes."""
    listener = LocalClient(engine)
    listener("CONFIG", "SET", "notify-keyspace-events", classes)
    listener("PSUBSCRIBE", "*")
    listener.messages()
    return listener


def heard(listener: LocalClient) -> list[tuple[bytes, bytes]]:
    """Channel and content of what was published since the last look."""
    return [tuple(part.value for part in message.value[2:]) for message in listener.messages()]


# -- Values that are replaced ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "words", "events"),
    [
        (["SET k 1"], "SET k 2", "overwritten:k"),
        (["SET k 1"], "SET k 2 KEEPTTL", "overwritten:k"),
        (["RPUSH k 1"], "SET k 2", "overwritten:k type_changed:k"),
        (["SET k 1"], "SETEX k 10 2", "overwritten:k"),
        (["SET k 1"], "GETSET k 2", "overwritten:k"),
        (["SET k 1"], "MSET k 2 n 3", "overwritten:k"),
        (["SET k 1", "SET a x"], "BITOP NOT k a", "overwritten:k"),
        (["SET k 1", "SADD a x"], "SUNIONSTORE k a", "overwritten:k type_changed:k"),
        (["SET k 1", "ZADD a 1 x"], "ZUNIONSTORE k 1 a", "overwritten:k type_changed:k"),
        (["RPUSH k 1", "RPUSH a 2"], "SORT a STORE k", "overwritten:k"),
        (["SET k 1", "SET a 2"], "RENAME a k", "overwritten:k"),
        (["SET k 1", "RPUSH a 2"], "RENAME a k", "overwritten:k type_changed:k"),
        (["SET k 1", "RPUSH a 2"], "COPY a k REPLACE", "overwritten:k type_changed:k"),
        # Nothing is there to be replaced, or it only changes.
        ([], "SET k 2", ""),
        (["SET a 1"], "RENAME a k", ""),
        (["SET k 1"], "SET k 2 NX", ""),
        (["SET k 1"], "APPEND k 2", ""),
        (["SET k 1"], "INCR k", ""),
        (["SET k 1"], "INCRBYFLOAT k 0.5", ""),
        (["SET k 1"], "SETRANGE k 3 x", ""),
        (["SET k 1"], "SETBIT k 3 1", ""),
        (["RPUSH k 1"], "RPUSH k 2", ""),
        (["SET k 1"], "DEL k", ""),
    ],
)
def test_what_replaces(
    engine: Engine, client: LocalClient, before: list[str], words: str, events: str
) -> None:
    for command in before:
        client(*command.split())
    listener = listening(engine, "Eoc")
    client(*words.split())
    found = [channel.rpartition(b":")[2] + b":" + key for channel, key in heard(listener)]
    assert b" ".join(found).decode() == events


def test_restore_replaces(engine: Engine, client: LocalClient) -> None:
    client("RPUSH", "a", 1)
    payload = client("DUMP", "a")
    client("SET", "k", 1)
    listener = listening(engine, "KAoc")
    assert client("RESTORE", "k", 0, payload, "REPLACE") == b"OK"
    events = [event for _, event in heard(listener)]
    assert events == [b"restore", b"overwritten", b"type_changed"]


def test_the_order_of_events(engine: Engine, client: LocalClient) -> None:
    client("RPUSH", "k", 1)
    listener = listening(engine, "KAoc")
    client("SET", "k", 1)
    client("SET", "a", 1)
    client("RENAME", "a", "k")
    assert [event for _, event in heard(listener)] == [
        b"overwritten", b"type_changed", b"set",
        b"set",
        b"rename_from", b"rename_to", b"overwritten",
    ]  # fmt: skip


def test_incrbyfloat_keeps_the_time(client: LocalClient) -> None:
    client("SET", "k", 1, "EX", 10)
    assert client("INCRBYFLOAT", "k", "0.5") == b"1.5"
    assert client("TTL", "k") == 10


# -- Fields ----------------------------------------------------------------------------------------


def test_the_four_channels(engine: Engine, client: LocalClient) -> None:
    listener = listening(engine, "STIVh")
    client("HSET", "myhash", "field1", 1, "f,2", 2)
    assert heard(listener) == [
        (b"__subkeyspace@0__:myhash", b"hset|6:field1,3:f,2"),
        (b"__subkeyevent@0__:hset", b"6:myhash|6:field1,3:f,2"),
        (b"__subkeyspaceitem@0__:myhash\nfield1", b"hset"),
        (b"__subkeyspaceitem@0__:myhash\nf,2", b"hset"),
        (b"__subkeyspaceevent@0__:hset|myhash", b"6:field1,3:f,2"),
    ]
    client("SELECT", 3)
    client("HDEL", "none", "a")
    client("HSET", "new\nline", "a", 1)
    assert heard(listener) == [
        (b"__subkeyspace@3__:new\nline", b"hset|1:a"),
        (b"__subkeyevent@3__:hset", b"8:new\nline|1:a"),
        (b"__subkeyspaceevent@3__:hset|new\nline", b"1:a"),
    ]


@pytest.mark.parametrize("classes", ["ST", "STIV", "KEA", "KEhSTIV"[:3], "STIV$"])
def test_both_the_channel_and_the_class_are_needed(
    engine: Engine, client: LocalClient, classes: str
) -> None:
    listener = listening(engine, classes)
    client("HSET", "k", "f", 1)
    assert not [channel for channel, _ in heard(listener) if b"subkey" in channel]


def test_they_come_beside_those_of_keys(engine: Engine, client: LocalClient) -> None:
    listener = listening(engine, "KESh")
    client("HSET", "k", "f", 1)
    assert heard(listener) == [
        (b"__keyspace@0__:k", b"hset"),
        (b"__keyevent@0__:hset", b"k"),
        (b"__subkeyspace@0__:k", b"hset|1:f"),
    ]


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ("HSET k a 1 b 2 a 3", ["hset|1:a,1:b,1:a"]),
        ("HMSET k a 1 b 2", ["hset|1:a,1:b"]),
        ("HSETNX k new 1", ["hset|3:new"]),
        ("HSETNX k f 1", []),
        ("HDEL k f no g", ["hdel|1:f,1:g"]),
        ("HDEL k no", []),
        ("HGETDEL k FIELDS 3 f no g", ["hdel|1:f,1:g"]),
        ("HGETEX k EX 10 FIELDS 2 f no", ["hexpire|1:f"]),
        ("HGETEX k PXAT 1 FIELDS 2 f no", ["hdel|1:f"]),
        ("HGETEX k PERSIST FIELDS 3 f g t", ["hpersist|1:t"]),
        ("HGETEX k FIELDS 1 f", []),
        ("HINCRBY k n 5", ["hincrby|1:n"]),
        ("HINCRBYFLOAT k n 5", ["hincrbyfloat|1:n"]),
        ("HEXPIRE k 10 FIELDS 3 f no g", ["hexpire|1:f,1:g"]),
        ("HPEXPIREAT k 1 FIELDS 2 f no", ["hdel|1:f"]),
        ("HPERSIST k FIELDS 3 f t no", ["hpersist|1:t"]),
        ("HPERSIST k FIELDS 1 f", []),
        ("HSETEX k FIELDS 2 f 1 x 2", ["hset|1:f,1:x"]),
        ("HSETEX k EX 5 FIELDS 2 f 1 x 2", ["hset|1:f,1:x", "hexpire|1:f,1:x"]),
        ("HSETEX k PXAT 1 FIELDS 1 f 1", ["hset|1:f", "hdel|1:f"]),
        ("DEL k", []),
    ],
)
def test_which_fields(engine: Engine, client: LocalClient, words: str, messages: list[str]) -> None:
    client("HSET", "k", "f", 1, "g", 2, "t", 3, "n", 4)
    client("HEXPIRE", "k", 1000, "FIELDS", 1, "t")
    listener = listening(engine, "Sh")
    client(*words.split())
    assert [message.decode() for _, message in heard(listener)] == messages


@pytest.mark.parametrize("lazily", [True, False])
def test_fields_past_their_time(
    engine: Engine, client: LocalClient, clock: ManualClock, lazily: bool
) -> None:
    client("HSET", "k", "a", 1, "b", 2, "c", 3)
    client("HPEXPIRE", "k", 10, "FIELDS", 2, "a", "b")
    listener = listening(engine, "KShx")
    clock.advance(20)
    client("HGET", "k", "c") if lazily else engine.cron()
    assert heard(listener) == [
        (b"__keyspace@0__:k", b"hexpired"),
        (b"__subkeyspace@0__:k", b"hexpired|1:a,1:b"),
    ]
    assert engine.keyspace.stats.expired_fields_active == (0 if lazily else 2)
