"""What the engine makes of its configuration when it is built."""

from __future__ import annotations

import pytest

from carnelian.datatypes.base import limits
from carnelian.engine.catalogue.registry import Declaration, declarations
from carnelian.engine.config import Config, ConfigFileError
from carnelian.engine.engine import Engine
from support.local import LocalClient


@pytest.fixture(autouse=True)
def commands():
    """Two commands to rename."""
    names = ("TEST.ONE", "TEST.TWO")
    for name in names:
        handler = lambda session, args: None  # noqa: E731
        declarations[name] = Declaration(name, handler, frozenset(("fast",)), group="server")
    yield
    for name in names:
        del declarations[name]


def engine(text: str) -> Engine:
    config = Config()
    config.load_text(text)
    return Engine(config)


def test_commands_are_renamed() -> None:
    registry = engine("rename-command Test.One Other").registry
    assert registry.lookup([b"test.one"]) is None
    assert registry.lookup([b"OTHER"]).name == b"test.one"


def test_commands_are_taken_away() -> None:
    assert engine("rename-command test.one ''").registry.lookup([b"TEST.ONE"]) is None


def test_names_are_exchanged_in_steps() -> None:
    text = "rename-command test.one x\nrename-command test.two test.one\nrename-command x test.two"
    registry = engine(text).registry
    assert registry.lookup([b"TEST.ONE"]).name == b"test.two"
    assert registry.lookup([b"TEST.TWO"]).name == b"test.one"


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("\nrename-command nope x", 2, "No such command in rename-command"),
        ("rename-command test.one test.two", 1, "Target command name already exists"),
        (
            "rename-command test.one ''\nrename-command test.one x",
            2,
            "No such command in rename-command",
        ),
    ],
)
def test_bad_lines_are_refused(text: str, number: int, reason: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        engine(text)
    assert (caught.value.line_number, caught.value.reason) == (number, reason)


def test_a_refused_name_changes_nothing() -> None:
    registry = engine("").registry
    with pytest.raises(ValueError, match="already"):
        registry.rename(b"test.one", b"test.two")
    assert registry.lookup([b"test.one"]).name == b"test.one"
    assert registry.lookup([b"test.two"]).name == b"test.two"


def test_thresholds_of_collections_follow_their_directives() -> None:
    made = engine("zset-max-ziplist-entries 5")
    for name in limits.DIRECTIVES:
        attribute = name.replace("-", "_")
        assert getattr(made.keyspace.limits, attribute) == made.config[name]
    assert made.keyspace.limits.zset_max_listpack_entries == 5
    made.config.set([(b"hash-max-listpack-entries", b"7"), (b"list-max-listpack-size", b"-4")])
    assert made.keyspace.limits.hash_max_listpack_entries == 7
    assert made.keyspace.limits.list_max_listpack_size == -4


def test_a_limit_beyond_what_can_be_counted(client: LocalClient) -> None:
    assert client("CONFIG", "SET", "maxmemory", 2**64 - 1) == b"OK"
    assert client("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"18446744073709551615"]
    assert client("SET", "k", 1) == b"OK"
