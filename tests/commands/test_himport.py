"""HIMPORT: hashes of fields that were named before."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient, Recorder


def test_hashes_are_made_of_prepared_fields(client: LocalClient) -> None:
    assert client("HIMPORT", "PREPARE", "u", "name", "age") == b"OK"
    assert client("HIMPORT", "SET", "user:1", "u", "alice", 30) == b"OK"
    assert client("himport", "set", "user:2", "u", "bob", 25) == b"OK"
    assert client("HGETALL", "user:1") == [b"name", b"alice", b"age", b"30"]
    assert client("HGET", "user:2", "name") == b"bob"
    assert client("HIMPORT", "PREPARE", "u", "city") == b"OK"
    assert client("HIMPORT", "SET", "user:1", "u", "Paris") == b"OK"
    assert client("HGETALL", "user:1") == [b"city", b"Paris"]
    assert client("HIMPORT", "PREPARE", "", "") == b"OK"
    assert client("HIMPORT", "SET", "h", "", "v") == b"OK"
    assert client("HGETALL", "h") == [b"", b"v"]


def test_fields_are_forgotten(client: LocalClient) -> None:
    client("HIMPORT", "PREPARE", "a", "f")
    client("HIMPORT", "PREPARE", "b", "f")
    client("HIMPORT", "PREPARE", "c", "f")
    assert client("HIMPORT", "DISCARD", "a") == 1
    assert client("HIMPORT", "DISCARD", "a") == 0
    assert client("HIMPORT", "DISCARDALL") == 2
    assert client("HIMPORT", "DISCARDALL") == 0
    assert client.error("HIMPORT", "SET", "k", "b", "v") == "ERR no such fieldset"
    client("HIMPORT", "PREPARE", "a", "f")
    client("RESET")
    assert client.error("HIMPORT", "SET", "k", "a", "v") == "ERR no such fieldset"


def test_they_belong_to_a_connection(client: LocalClient, engine: Engine) -> None:
    other = LocalClient(engine)
    client("HIMPORT", "PREPARE", "a", "f")
    assert other.error("HIMPORT", "SET", "k", "a", "v") == "ERR no such fieldset"
    assert client("HIMPORT", "SET", "k", "a", "v") == b"OK"


def test_scripts_begin_without(client: LocalClient) -> None:
    prepare = "redis.call('HIMPORT', 'PREPARE', 'a', 'f')"
    use = "return redis.call('HIMPORT', 'SET', 'k', 'a', '1')"
    assert client("EVAL", prepare, 0) is None
    assert client.error("EVAL", use, 0).startswith("ERR no such fieldset")
    assert client("EVAL", prepare + use, 0) == b"OK"
    assert client("HGETALL", "k") == [b"f", b"1"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("PREPARE x a b a", "ERR duplicate field name in fieldset"),
        ("SET k none v", "ERR no such fieldset"),
        ("SET k u v", "ERR value count does not match fieldset field count"),
        ("SET k u v w x", "ERR value count does not match fieldset field count"),
        (
            "SET s u v w",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("PREPARE u", "ERR wrong number of arguments for 'himport|prepare' command"),
        ("SET k u", "ERR wrong number of arguments for 'himport|set' command"),
        ("DISCARD", "ERR wrong number of arguments for 'himport|discard' command"),
        ("DISCARDALL x", "ERR wrong number of arguments for 'himport|discardall' command"),
        ("HELP", "ERR unknown subcommand 'HELP'. Try HIMPORT HELP."),
    ],
)
def test_refused(client: LocalClient, words: str, error: str) -> None:
    client("SET", "s", "x")
    client("HIMPORT", "PREPARE", "u", "a", "b")
    assert client.error("HIMPORT", *words.split()) == error
    assert client("HIMPORT", "SET", "k", "u", 1, 2) == b"OK"


def test_what_is_passed_on(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client("HIMPORT", "PREPARE", "u", "a", "b")
    client("HIMPORT", "SET", "k", "u", 1, 2)
    assert written.take() == [b"HSET k a 1 b 2"]
    client("HIMPORT", "SET", "k", "u", 3, 4)
    assert written.take() == [b"MULTI", b"DEL k", b"HSET k a 3 b 4", b"EXEC"]


def test_events_and_transactions(client: LocalClient, engine: Engine) -> None:
    listener = LocalClient(engine)
    client("CONFIG", "SET", "notify-keyspace-events", "Kh")
    listener("PSUBSCRIBE", "*")
    listener.messages()
    client("MULTI")
    client("HIMPORT", "PREPARE", "u", "a")
    client("HIMPORT", "SET", "k", "u", 1)
    assert client("EXEC") == [b"OK", b"OK"]
    assert [message.value[3].value for message in listener.messages()] == [b"hset"]
