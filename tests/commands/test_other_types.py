"""String and key commands on a key that holds a collection."""

from __future__ import annotations

import pytest

from carnelian.datatypes.algorithms.xxh3 import hexdigest
from carnelian.datatypes.base.value import TYPE_NAMES, Value
from support.local import LocalClient

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


class Thing(Value):
    """A collection of nothing."""

    @property
    def type_name(self) -> bytes:
        return b"thing"

    def encoding(self) -> bytes:
        return b"listpack"

    def memory(self) -> int:
        return 100

    def copy(self) -> Thing:
        return Thing()


@pytest.fixture
def client(client: LocalClient) -> LocalClient:
    client.session.db.add(b"t", Thing())
    client("SET", "s", "v")
    return client


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "t"),
        ("SET", "t", "v", "GET"),
        ("SET", "t", "v", "NX", "GET"),
        ("SET", "t", "v", "IFEQ", "v"),
        ("SET", "t", "v", "IFNE", "v"),
        ("SET", "t", "v", "IFDEQ", "x"),
        ("SET", "t", "v", "IFDNE", hexdigest(b"v")),
        ("GETSET", "t", "v"),
        ("GETDEL", "t"),
        ("GETEX", "t", "EX", "0"),
        ("INCR", "t"),
        ("DECRBY", "t", "5"),
        ("INCRBYFLOAT", "t", "1"),
        ("APPEND", "t", "v"),
        ("STRLEN", "t"),
        ("SETRANGE", "t", "0", ""),
        ("SETRANGE", "t", "0", "v"),
        ("GETRANGE", "t", "0", "1"),
        ("SUBSTR", "t", "0", "1"),
        ("DIGEST", "t"),
    ],
)
def test_wrong_type(client: LocalClient, words: tuple[str, ...]) -> None:
    before = client.engine.keyspace.dirty
    assert client.error(*words) == WRONGTYPE
    assert client("TYPE", "t") == b"thing"
    assert client.engine.keyspace.dirty == before


def test_errors_of_their_own(client: LocalClient) -> None:
    assert client.error("LCS", "s", "t") == "ERR The specified keys must contain string values"
    for condition in ("IFEQ", "FOO"):
        assert client.error("DELEX", "t", condition, "v") == (
            "ERR Key should be of string type if conditions are specified"
        )


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("SET", "t", "w"), b"OK"),
        (("SET", "t", "w", "XX"), b"OK"),
        (("SETEX", "t", 10, "w"), b"OK"),
        (("MSET", "t", "w"), b"OK"),
        (("MSETEX", 1, "t", "w", "XX"), 1),
    ],
)
def test_what_replaces(client: LocalClient, words: tuple[str | int, ...], reply: object) -> None:
    assert client(*words) == reply
    assert client("GET", "t") == b"w"


def test_what_leaves_it_alone(client: LocalClient) -> None:
    assert client("SETNX", "t", "v") == 0
    assert client("SET", "t", "v", "NX") is None
    assert client("MSETNX", "n", 1, "t", 2) == 0
    assert client("MGET", "s", "t") == [b"v", None]
    assert client("TYPE", "t") == b"thing"


def test_what_works_on_any_type(client: LocalClient, monkeypatch) -> None:
    monkeypatch.setattr("carnelian.commands.keys.scanning.TYPE_NAMES", TYPE_NAMES | {b"thing"})
    assert client("OBJECT", "ENCODING", "t") == b"listpack"
    assert client("OBJECT", "REFCOUNT", "t") == 1
    assert client("SCAN", 0, "TYPE", "THING") == [b"0", [b"t"]]
    assert client("EXPIRE", "t", 10) == 1
    assert client("COPY", "t", "u") == 1
    assert client("RENAME", "u", "v") == b"OK"
    assert (client("TYPE", "v"), client("TTL", "v")) == (b"thing", 10)
    assert client("MOVE", "v", 1) == 1
    assert client("DELEX", "t") == 1
    assert client("UNLINK", "t", "s") == 1
