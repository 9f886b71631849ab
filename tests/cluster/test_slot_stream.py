"""What is picked out of all effects for some slots, and the keys of slots as commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carnelian.cluster.moving.migration_task import slot_flags
from carnelian.cluster.moving.slot_stream import SlotStream
from carnelian.cluster.moving.slot_writing import write_slots
from carnelian.commands import declare_all
from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.engine import Engine
from carnelian.resp.parser import Parser
from support.local import LocalClient

HERE = b"{here}"
ELSEWHERE = b"{elsewhere}"
FLAGS = slot_flags([(hash_slot(HERE), hash_slot(HERE))])


@pytest.fixture
def engine() -> Engine:
    declare_all()
    engine = Engine()
    engine.keyspace.list_by_slot()
    return engine


class Told:
    """What a stream has told, as lists of words."""

    def __init__(self, engine: Engine):
        self.units: list[bytes] = []
        self.flushes: list[str] = []
        stream = SlotStream(engine.registry, FLAGS, self.units.append, self._flushed)
        self.listener = stream.take
        engine.effects.listen(self.listener)

    def _flushed(self, name: str) -> None:
        self.flushes.append(name)

    def take(self) -> list[list[bytes]]:
        """The commands since the last time."""
        parsed = commands(b"".join(self.units))
        self.units.clear()
        return parsed


def commands(data: bytes) -> list[list[bytes]]:
    """What stands in a stream."""
    parser, found = Parser(), []
    parser.feed(data)
    while (words := parser.next()) is not None:
        found.append(list(words))
    return found


def test_only_what_concerns_the_slots_is_told(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    client("SET", HERE, "v")
    client("SET", ELSEWHERE, "v")
    client("GET", HERE)
    client("INCR", b"{here}n")
    client("MSET", b"{here}a", "1", b"{here}b", "2")
    assert told.take() == [
        [b"SET", HERE, b"v"],
        [b"INCR", b"{here}n"],
        [b"MSET", b"{here}a", b"1", b"{here}b", b"2"],
    ]


def test_commands_that_cross_slots_are_told(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    client("MSET", ELSEWHERE, "1", HERE, "2")
    assert told.take() == [[b"MSET", ELSEWHERE, b"1", HERE, b"2"]]


def test_transactions_are_told_as_wholes(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    for words in (
        ("MULTI",), ("SET", ELSEWHERE, "1"), ("SET", HERE, "2"), ("INCR", HERE), ("EXEC",),
        ("MULTI",), ("SET", ELSEWHERE, "1"), ("INCR", ELSEWHERE), ("EXEC",),
    ):  # fmt: skip
        client(*words)
    assert len(told.units) == 1
    assert told.take() == [[b"MULTI"], [b"SET", HERE, b"2"], [b"INCR", HERE], [b"EXEC"]]


def test_what_expires_is_told(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    client("SET", HERE, "v")
    client("PEXPIREAT", HERE, 1)
    assert told.take()[-1] == [b"DEL", HERE]


def test_deleting_everything_is_told_apart(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    client("SET", HERE, "v")
    told.take()
    client("FLUSHALL")
    assert told.flushes == ["FLUSHALL"]
    assert told.take() == []


def test_who_listens_no_longer_is_told_nothing(engine: Engine) -> None:
    client, told = LocalClient(engine), Told(engine)
    engine.effects.unlisten(told.listener)
    client("SET", HERE, "v")
    assert told.take() == []
    assert not engine.effects.listening


def test_the_keys_of_slots_are_written_as_commands(engine: Engine, tmp_path: Path) -> None:
    client = LocalClient(engine)
    client("SET", HERE, "v")
    client("RPUSH", b"{here}list", "a", "b")
    client("SET", b"{here}brief", "v", "PXAT", 2**40)
    client("SET", ELSEWHERE, "v")
    path = tmp_path / "out"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    write_slots(engine.keyspace, FLAGS, fd, [], 0, None)
    os.close(fd)
    assert sorted(commands(path.read_bytes())) == [
        [b"PEXPIREAT", b"{here}brief", b"%d" % 2**40],
        [b"RPUSH", b"{here}list", b"a", b"b"],
        [b"SET", HERE, b"v"],
        [b"SET", b"{here}brief", b"v"],
    ]
