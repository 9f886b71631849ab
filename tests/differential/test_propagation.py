"""What leaves the engine for the append-only file, against the file that redis-server writes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient, Recorder
from support.servers import ReferenceServer, StartRedis
from support.wire import WireClient, read

Command = list[bytes]

AHEAD = int(time.time()) + 10_000


class AppendOnlyFile:
    """The commands that a server has written, database numbers left out."""

    def __init__(self, server: ReferenceServer):
        (self._path,) = server.directory.glob("appendonlydir/*.incr.aof")
        self._at = 0

    def take(self) -> list[Command]:
        """Those since the last look."""
        commands = []
        with self._path.open("rb") as stream:
            stream.seek(self._at)
            while True:
                try:
                    reply = read(stream)
                except EOFError:
                    break
                self._at = stream.tell()
                assert isinstance(reply.value, list)
                commands.append([part.value for part in reply.value])
        return [words for words in commands if words[0].upper() != b"SELECT"]


@pytest.fixture(scope="module")
def server(start_redis: StartRedis) -> ReferenceServer:
    options = ("--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes")
    server = start_redis("--save", "", *options)
    # So that a key past its time is there until a command finds it.
    server.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    return server


@pytest.fixture
def theirs(server: ReferenceServer) -> Iterator[WireClient]:
    client = WireClient(server.port)
    yield client
    client.close()


COMMANDS: list[tuple[str | int, ...]] = [
    ("SET", "k", "v"),
    ("set", "k", "v", "NX"),
    ("SET", "k", "v", "xx"),
    ("SET", "k", "GET", "GET"),
    ("SET", "k", "w", "GET", "XX", "get"),
    ("SET", "new", "w", "XX", "GET"),
    ("SET", "k", "v", "EXAT", AHEAD),
    ("SET", "k", "v", "PXAT", AHEAD * 1000, "GET", "XX"),
    ("SET", "k", "v", "KEEPTTL"),
    ("SETNX", "k", "v"),
    ("SETNX", "l", "v"),
    ("GETSET", "l", "w"),
    ("GETDEL", "l"),
    ("GETDEL", "l"),
    ("GETEX", "k"),
    ("GETEX", "k", "EXAT", AHEAD + 1),
    ("GETEX", "k", "PERSIST"),
    ("GETEX", "k", "PERSIST"),
    ("GETEX", "k", "EXAT", 1),
    ("MSET", "a", 1, "b", 2),
    ("MSETNX", "a", 1, "c", 2),
    ("MSETNX", "c", 1, "d", 2),
    ("INCR", "a"),
    ("DECRBY", "a", 5),
    ("INCRBYFLOAT", "a", "0.5"),
    ("INCR", "a"),
    ("APPEND", "a", ""),
    ("APPEND", "e", "x"),
    ("SETRANGE", "e", 0, ""),
    ("SETRANGE", "e", 3, "y"),
    ("EXPIREAT", "a", AHEAD),
    ("EXPIREAT", "a", AHEAD, "NX"),
    ("EXPIREAT", "a", AHEAD + 1, "gt", "XX"),
    ("pexpireat", "a", AHEAD * 1000, "LT"),
    ("PERSIST", "a"),
    ("PERSIST", "a"),
    ("EXPIRE", "a", -1),
    ("EXPIRE", "none", 100),
    ("PEXPIREAT", "b", 1),
    ("RENAME", "c", "d"),
    ("RENAME", "d", "d"),
    ("RENAMENX", "d", "e"),
    ("RENAMENX", "d", "f"),
    ("COPY", "f", "g"),
    ("COPY", "f", "g"),
    ("COPY", "f", "g", "REPLACE"),
    ("COPY", "f", "g", "DB", 3),
    ("MOVE", "f", 4),
    ("MOVE", "f", 4),
    ("SWAPDB", 3, 5),
    ("SWAPDB", 3, 3),
    ("DEL", "none"),
    ("DEL", "g", "none"),
    ("UNLINK", "e"),
    ("TOUCH", "k"),
    ("FLUSHDB",),
    ("FLUSHDB", "ASYNC"),
    ("FLUSHALL", "SYNC"),
]


def test_command_by_command(server: ReferenceServer, theirs: WireClient) -> None:
    written = AppendOnlyFile(server)
    ours = LocalClient(Engine())
    recorder = Recorder(ours.engine)
    for words in COMMANDS:
        assert theirs.call(*words) == ours.call(*words)
        expected = [b" ".join(command) for command in written.take()]
        assert recorder.take() == expected, words


@pytest.mark.parametrize(
    "words",
    [
        ("SET", "k", "v", "EX", 100),
        ("SET", "k", "v", "px", 100_000, "XX", "GET"),
        ("SETEX", "k", 100, "v"),
        ("PSETEX", "k", 100_000, "v"),
        ("GETEX", "k", "EX", 100),
        ("GETEX", "k", "PX", 100_000),
        ("EXPIRE", "k", 100),
        ("EXPIRE", "k", 100, "LT"),
        ("PEXPIRE", "k", 100_000, "nx"),
    ],
)
def test_relative_times_become_points_of_time(
    server: ReferenceServer, theirs: WireClient, words: tuple[str | int, ...]
) -> None:
    written = AppendOnlyFile(server)
    ours = LocalClient(Engine())
    recorder = Recorder(ours.engine)
    for client in (theirs, ours):
        client.call("SET", "k", "v")
        client.call(*words)
    (_, left), expected = recorder.commands, written.take()[-1]
    moments = [int(word) for word in (*left[1], *expected) if len(word) == 13]
    assert len(moments) == 2
    assert abs(moments[0] - moments[1]) < 2000
    assert [word for word in left[1] if len(word) != 13] == [
        word for word in expected if len(word) != 13
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "k"),
        ("EXISTS", "k"),
        ("SET", "k", "w"),
        ("INCR", "k"),
        ("DEL", "k"),
        ("RENAME", "other", "k"),
        ("MSET", "other", "x", "k", "y"),
        ("EXPIREAT", "k", AHEAD),
    ],
)
def test_a_key_found_past_its_time(
    server: ReferenceServer, theirs: WireClient, words: tuple[str | int, ...]
) -> None:
    written = AppendOnlyFile(server)
    ours = LocalClient(Engine())
    for client in (theirs, ours):
        client.call("FLUSHALL")
        client.call("SET", "other", "v")
        client.call("SET", "k", "v", "PX", 1)
    time.sleep(0.005)
    written.take()
    recorder = Recorder(ours.engine)
    assert theirs.call(*words) == ours.call(*words)
    assert recorder.take() == [b" ".join(command) for command in written.take()]


STREAMS: list[tuple[str | int, ...]] = [
    ("XADD", "s", "1-1", "f", "v"),
    ("XADD", "s", "1-*", "f", "v"),
    ("XADD", "s", "*", "f", "v"),
    ("XADD", "s", "NOMKSTREAM", "MAXLEN", "=", 3, f"{AHEAD}000-1", "f", "v"),
    ("XADD", "s", "MAXLEN", "~", 2, f"{AHEAD}000-*", "f", "v"),
    ("XADD", "s", "MINID", "~", "1-2", f"{AHEAD}000-*", "f", "v"),
    ("XADD", "s", "MAXLEN", "~", 0, "LIMIT", 1, f"{AHEAD}000-*", "f", "v"),
    ("XADD", "none", "NOMKSTREAM", "*", "f", "v"),
    ("XADD", "s", "1-1", "f", "v"),
    ("XTRIM", "s", "MAXLEN", "~", 1),
    ("XTRIM", "s", "MAXLEN", 4),
    ("XTRIM", "s", "MINID", "=", "1-2"),
    ("XGROUP", "CREATE", "t", "g", "$"),
    ("XGROUP", "CREATE", "t", "g", "$", "MKSTREAM"),
    ("XADD", "t", "1-1", "f", "v"),
    ("XADD", "t", "1-2", "f", "v"),
    ("XADD", "t", "1-3", "f", "v"),
    ("XGROUP", "CREATE", "t", "h", "0", "ENTRIESREAD", 0),
    ("XGROUP", "CREATECONSUMER", "t", "g", "c"),
    ("XGROUP", "CREATECONSUMER", "t", "g", "c"),
    ("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "t", ">"),
    ("XREADGROUP", "GROUP", "g", "d", "STREAMS", "t", ">"),
    ("XREADGROUP", "GROUP", "h", "e", "NOACK", "COUNT", 2, "STREAMS", "t", ">"),
    ("XREADGROUP", "GROUP", "h", "e", "NOACK", "STREAMS", "t", ">"),
    ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "t", "0"),
    ("XREAD", "STREAMS", "t", "0"),
    ("XCLAIM", "t", "g", "c", 0, "1-2", "RETRYCOUNT", 7),
    ("XCLAIM", "t", "g", "c", 0, "1-3", "JUSTID", "LASTID", "9-9"),
    ("XCLAIM", "t", "g", "c", 0, "5-5", "LASTID", "9-10"),
    ("XCLAIM", "t", "h", "e", 0, "1-1", "FORCE"),
    ("XACK", "t", "h", "1-1", "2-2"),
    ("XACK", "t", "h", "1-1"),
    ("XDEL", "t", "1-1", "7-7"),
    ("XDEL", "t", "1-1"),
    ("XAUTOCLAIM", "t", "g", "d", 0, "0", "COUNT", 2),
    ("XAUTOCLAIM", "t", "g", "d", 0, "0", "JUSTID"),
    ("XGROUP", "SETID", "t", "g", "1-1"),
    ("XGROUP", "DELCONSUMER", "t", "g", "c"),
    ("XGROUP", "DELCONSUMER", "t", "g", "c"),
    ("XSETID", "t", "20-1", "ENTRIESADDED", 100, "MAXDELETEDID", "3-3"),
    ("XGROUP", "DESTROY", "t", "h"),
    ("XGROUP", "DESTROY", "t", "h"),
    ("XINFO", "STREAM", "t"),
]


def without_times(command: list[bytes]) -> list[bytes]:
    """A command, with what tells the time of each server taken out."""
    return [re.sub(rb"^\d{13}\b", b"time", word) for word in command]


def test_streams(server: ReferenceServer, theirs: WireClient) -> None:
    theirs.call("FLUSHALL")
    theirs.call("CONFIG", "SET", "stream-node-max-entries", 2)
    written = AppendOnlyFile(server)
    written.take()
    ours = LocalClient(Engine())
    ours("CONFIG", "SET", "stream-node-max-entries", 2)
    recorder = Recorder(ours.engine)
    for words in STREAMS:
        theirs.call(*words), ours.call(*words)
        expected = [without_times(command) for command in written.take()]
        found = [without_times(command) for _, command in recorder.commands]
        recorder.take()
        assert found == expected, words
