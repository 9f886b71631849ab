"""Files that were cut or changed anywhere: they are loaded, refused, or cut off with a word."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from server.peers import Client
from support.servers import require
from support.wire import Word

from .appended import DIRECTORY, STEM, Logged

INCREMENT, MANIFEST = DIRECTORY / f"{STEM}.2.incr.aof", DIRECTORY / f"{STEM}.manifest"
SNAPSHOT = Path("dump.rdb")
NOTHING = b"0" * 40

_BEFORE: tuple[tuple[Word, ...], ...] = (
    ("SET", "string", "value"), ("SET", "number", 12345), ("SET", "long", "ab" * 200),
    ("SET", "timed", "v", "PXAT", 4102444800000), ("RPUSH", "list", "a", 1, 2000000, "x" * 70),
    ("SADD", "intset", 1, 300, 70000), ("SADD", "set", "a", "b", "c" * 70),
    ("HSET", "hash", "f", "v", "g", "w" * 70), ("ZADD", "zset", 1, "a", "2.5", "b", 3, "c" * 70),
    ("XADD", "stream", "1-1", "f", "v"), ("XGROUP", "CREATE", "stream", "g", 0),
    ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "stream", ">"), ("SELECT", 3), ("SET", "k", "v"),
    ("SELECT", 0),
)  # fmt: skip
# Each is one unit of the log.
_AFTER: tuple[list[tuple[Word, ...]], ...] = (
    [("SET", "after", 1)],
    [("MULTI",), ("SET", "first", 1), ("INCR", "second"), ("EXEC",)],
    [("RPUSH", "list", "z")],
    [("DEL", "hash")],
)  # fmt: skip

# What the log says of a file that is not taken as it is, at the end or before.
_REFUSAL = re.compile(
    r"Bad file format reading the append only file|Unexpected end of file reading|"
    r"Unknown command '.*' reading the append only file|Error reading the RDB base file|"
    r"Terminating server after rdb file reading failure|Found|Invalid AOF manifest|File can't be|"
    r"Unknown AOF file type|The AOF manifest file|Unable to obtain the AOF file|"
    r"Fatal error: the truncated file is not the last file|Fatal error: can't open",
    re.DOTALL,
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def digest(logged: Logged) -> bytes:
    value = logged("DEBUG", "DIGEST")
    assert isinstance(value, bytes)
    return bytes(value)


def write(preamble: str = "yes") -> list[tuple[int, bytes]]:
    """Write all files; returns the ends of the units in the increment, and the digests there."""
    logged = Logged(aof_use_rdb_preamble=preamble)
    for words in _BEFORE:
        logged(*words)
    logged("SAVE")
    logged("BGREWRITEAOF")
    logged("SET", "before", 1)
    ends = [(0, b""), (INCREMENT.stat().st_size, digest(logged))]
    for unit in _AFTER:
        for words in unit:
            logged.client(*words)
        logged.turn()
        ends.append((INCREMENT.stat().st_size, digest(logged)))
    logged.close()
    return ends


def changes(text: bytes, every: int = 1) -> Iterator[bytes]:
    """The text with one byte changed, each or some in its turn."""
    chosen = random.Random(11)
    for at in range(chosen.randrange(every), len(text), every):
        yield text[:at] + bytes([text[at] ^ 1 << chosen.randrange(8)]) + text[at + 1 :]


def load_log(**directives: str) -> bytes | str:
    """The digest of what is loaded, or why it is not."""
    try:
        logged = Logged(None, **directives)
    except LoadError as error:
        assert _REFUSAL.search(str(error)), error
        return str(error)
    try:
        return digest(logged)
    finally:
        logged.close()


def load_snapshot(check: str) -> bytes | str:
    logged = Logged(appendonly="no", rdbchecksum=check)
    try:
        snapshots_of(logged.engine).load()
    except LoadError as error:
        assert _REFUSAL.search(str(error)), error
        return str(error)
    return digest(logged)


def test_a_cut_anywhere_leaves_the_units_before_it() -> None:
    ends = write()
    text = INCREMENT.read_bytes()
    for size in range(ends[1][0], len(text)):
        INCREMENT.write_bytes(text[:size])
        logged = Logged()
        end, expected = max(unit for unit in ends if unit[0] <= size)
        # A SELECT may stand before a unit by itself, which changes nothing.
        assert digest(logged) == expected
        assert INCREMENT.stat().st_size in (end, size)
        assert (size == end) != any("Truncating the AOF" in line for line in logged.lines)
        logged.close()


def test_a_change_anywhere_in_the_log_does_no_harm() -> None:
    write()
    text = INCREMENT.read_bytes()
    outcomes = set()
    for damaged in changes(text):
        INCREMENT.write_bytes(damaged)
        outcomes.add(type(load_log()))
    assert outcomes == {bytes, str}


def test_a_change_anywhere_in_a_base_of_commands_does_no_harm() -> None:
    write("no")
    base = DIRECTORY / f"{STEM}.2.base.aof"
    for damaged in changes(base.read_bytes(), every=7):
        base.write_bytes(damaged)
        load_log()
        assert base.read_bytes() == damaged


@pytest.mark.parametrize("check", ["yes", "no"])
def test_a_change_anywhere_in_a_base(check: str) -> None:
    write()
    base = DIRECTORY / f"{STEM}.2.base.rdb"
    outcomes = {type(load_log(rdbchecksum=check)) for _ in _written(base, every=4)}
    assert outcomes == ({str} if check == "yes" else {bytes, str})


@pytest.mark.parametrize("check", ["yes", "no"])
def test_a_change_anywhere_in_a_snapshot(check: str) -> None:
    write()
    outcomes = {type(load_snapshot(check)) for _ in _written(SNAPSHOT, every=3)}
    assert outcomes == ({str} if check == "yes" else {bytes, str})


def _written(path: Path, every: int = 1) -> Iterator[None]:
    for damaged in changes(path.read_bytes(), every):
        path.write_bytes(damaged)
        yield


def test_a_cut_anywhere_in_a_snapshot() -> None:
    write()
    text = SNAPSHOT.read_bytes()
    for size in range(0, len(text), 3):
        SNAPSHOT.write_bytes(text[:size])
        assert isinstance(load_snapshot("yes"), str)


def test_a_change_anywhere_in_the_manifest() -> None:
    ends = write()
    text = MANIFEST.read_bytes()
    known = {ends[-1][1], NOTHING}
    for damaged in changes(text):
        shutil.copytree(DIRECTORY, "copy")
        MANIFEST.write_bytes(damaged)
        outcome = load_log()
        # A part of another kind is not loaded, as redis-server does not.
        assert isinstance(outcome, str) or outcome in known or damaged.count(b"type h")
        shutil.rmtree(DIRECTORY)
        Path("copy").rename(DIRECTORY)


# -- Beside redis-server ---------------------------------------------------------------------------


def _redis(directory: Path, *arguments: str) -> bytes | None:
    """The digest of what redis-server loads there, None if it refuses to."""
    socket = directory / "socket"
    socket.unlink(missing_ok=True)
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""]
    command += ["--dir", str(directory), "--enable-debug-command", "yes", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                client = Client(str(socket))
                if isinstance(client.call("DBSIZE"), int):
                    found = client.call("DEBUG", "DIGEST")
                    process.kill()
                    return found.removeprefix(b"+")
                client.close()
            except OSError:
                time.sleep(0.005)
    # Where it does not refuse, some damage makes it crash.
    assert process.returncode == 1 or process.returncode < 0
    return None


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        (INCREMENT, ["--appendonly", "yes"]),
        (MANIFEST, ["--appendonly", "yes"]),
        (SNAPSHOT, ["--appendonly", "no"]),
    ],
)
def test_redis_server_decides_the_same(path: Path, arguments: list[str]) -> None:
    require("redis-server", "redis-server")
    write()
    text = path.read_bytes()
    cuts = [text[: len(text) * i // 8] for i in range(3, 8)]
    for damaged in [*changes(text, every=len(text) // 12), *cuts]:
        shutil.copytree(".", "copy")
        path.write_bytes(damaged)
        ours = load_snapshot("yes") if path is SNAPSHOT else load_log()
        shutil.copy("copy" / path, path)
        (Path("copy") / path).write_bytes(damaged)
        theirs = _redis(Path("copy").resolve(), *arguments)
        shutil.rmtree("copy")
        assert theirs == (None if isinstance(ours, str) else ours)
