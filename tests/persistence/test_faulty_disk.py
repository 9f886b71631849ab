"""Servers whose disk fails: what they answer and log, and what is there afterwards.

redis-server meets the same failures; replies, messages and exit codes are to be its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.peers import Client
from support.disk import Disk
from support.servers import require
from support.waiting import TIMEOUT, free_port, wait_for

OURS, REDIS = [sys.executable, "-m", "carnelian"], ["redis-server"]
LOG = ("--save", "", "--appendonly", "yes", "--appendfsync")
_LINE = re.compile(r"\d+:[MC] .{24} ([*#]) (.*)")
# What is of interest: the lines about the files.
_ABOUT_FILES = re.compile(
    r"AOF|append|temp RDB|saving DB|Background saving|Errors? trying|can't exit|Unable"
)


class Server:
    """A server on a disk that fails, in a directory of its own."""

    def __init__(self, command: list[str], directory: Path):
        self.directory = directory / "data"
        self.directory.mkdir(parents=True)
        self.disk = Disk(directory / "disk")
        self._command = command
        self._output = directory / "output"
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None

    def start(self, *arguments: str, **options: Any) -> None:
        """Start it; with ``preexec_fn`` and the like."""
        port = free_port()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*self._command, *arguments, "--port", str(port), "--dir", str(self.directory)],
                cwd=self.directory, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, **self.disk.environment}, **options,
            )  # fmt: skip
        wait_for(lambda: self.ended is not None or "eady to accept" in self._output.read_text())
        self._client = Client(("127.0.0.1", port)) if self.ended is None else None

    @property
    def ended(self) -> int | None:
        """The exit status, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def call(self, *words: object) -> Any:
        """The reply to a command; b"" if there is none because the server is gone."""
        assert self._client is not None
        try:
            return self._client.call(*words)
        except ConnectionError:
            return b""

    def info(self, field: str) -> bytes:
        """A field of INFO."""
        for line in self.call("INFO", "persistence").splitlines():
            if line.startswith(f"{field}:".encode()):
                return line.partition(b":")[2]
        raise AssertionError(field)

    def wait_for_writes(self) -> None:
        """Wait for the write of what is acknowledged; that of a second ago may be synced first."""
        wait_for(lambda: self.info("aof_buffer_length") == b"0")

    def wait_for_end(self) -> int:
        assert self._process is not None
        return self._process.wait(TIMEOUT)

    def lines(self) -> list[str]:
        """What the log says about files, without what differs from one time to another."""
        text = self._output.read_text()
        assert "Traceback" not in text and "CRASH REPORT" not in text and "BUG" not in text
        lines = [found[2] for line in text.splitlines() if (found := _LINE.match(line))]
        place = re.escape(str(self.directory))
        return [
            re.sub(place, "DIR", re.sub(r"\b\d{2,}\b", "N", line))
            for line in lines
            if _ABOUT_FILES.search(line) and "loaded from" not in line and "Reading" not in line
        ]

    def stop(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._client is not None:
            self._client.close()

    def restart(self, *arguments: str) -> list[bytes] | int | None:
        """Start it again on a disk that works: the keys, or the exit status."""
        self.stop()
        self.disk.allow()
        self.start(*arguments)
        return sorted(self.call("KEYS", "*")) if self.ended is None else self.ended


Scenario = Callable[[Server], list[Any]]
Compare = Callable[[Scenario], list[Any]]


@pytest.fixture
def compare(tmp_path: Path) -> Iterator[Compare]:
    """Run a scenario with redis-server and here: returns what came of it, which is the same."""
    require("redis-server", "redis-server")
    servers = [Server(REDIS, tmp_path / "redis"), Server(OURS, tmp_path / "carnelian")]

    def run(scenario: Scenario) -> list[Any]:
        theirs, ours = [scenario(server) for server in servers]
        assert ours == theirs
        return ours

    yield run
    for server in servers:
        server.stop()


FULL = b"-MISCONF Errors writing to the AOF file: No space left on device"


@pytest.mark.parametrize(
    "faults",
    [
        ["write ENOSPC incr.aof"],
        ["write ENOSPC incr.aof 7"],
        # So few bytes a time that there are not enough tries to write all of it.
        ["write ENOSPC incr.aof 1", "ftruncate EIO incr.aof"],
    ],
)
def test_a_full_disk(compare: Compare, faults: list[str]) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start(*LOG, "everysec")
        replies = [server.call("SET", "a", 1)]
        # What is written while the disk is busy waits for a while, before it fails.
        wait_for(lambda: server.info("aof_pending_bio_fsync") == b"0")
        server.disk.refuse(*faults)
        # One is acknowledged, and kept until there is room.
        replies += [server.call("SET", "b", 1), server.call("SET", "c", 1), server.call("PING")]
        replies += [server.call("GET", "a"), server.info("aof_last_write_status")]
        server.disk.allow()
        wait_for(lambda: server.info("aof_last_write_status") == b"ok")
        replies.append(server.call("SET", "d", 1))
        server.wait_for_writes()
        return [replies, server.lines(), server.restart(*LOG, "everysec")]

    replies, lines, keys = compare(scenario)
    assert replies == [b"+OK", b"+OK", FULL, FULL, b"1", b"err", b"+OK"]
    assert lines[-1] == "AOF write error looks solved, Redis can write again."
    assert keys == [b"a", b"b", b"d"]


@pytest.mark.parametrize(
    "faults",
    [
        ["write ENOSPC incr.aof"],
        ["write ENOSPC incr.aof 7"],
        ["write ENOSPC incr.aof 7", "ftruncate EIO incr.aof"],
        ["fsync EIO incr.aof"],
    ],
)
def test_always_ends_rather_than_to_promise_too_much(compare: Compare, faults: list[str]) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start(*LOG, "always")
        replies = [server.call("SET", "a", 1)]
        server.disk.refuse(*faults)
        replies += [server.call("SET", "b", 1), server.wait_for_end()]
        return [replies, server.lines(), server.restart(*LOG, "always")]

    replies, lines, keys = compare(scenario)
    assert replies == [b"+OK", b"", 1]
    assert "Exiting..." in lines[-1]
    assert b"a" in keys


def test_a_failing_sync(compare: Compare) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start(*LOG, "everysec")
        server.disk.refuse("fsync EIO incr.aof")
        replies = [server.call("SET", "a", 1)]
        wait_for(lambda: server.info("aof_last_write_status") == b"err")
        replies += [server.call("SET", "b", 1), server.call("GET", "a")]
        server.disk.allow()
        # Redis tries again only when there is something new in the file.
        server.stop()
        return [replies, server.lines(), server.restart(*LOG, "everysec")]

    replies, lines, keys = compare(scenario)
    refused = b"-MISCONF Errors writing to the AOF file: Input/output error"
    assert replies == [b"+OK", refused, b"1"]
    assert "Fail to fsync the AOF file: Input/output error" in lines
    assert keys == [b"a"]


@pytest.mark.parametrize("fault", ["fsync EIO temp-", "rename EIO dump.rdb"])
@pytest.mark.parametrize("command", ["SAVE", "BGSAVE"])
def test_a_snapshot_that_fails(compare: Compare, fault: str, command: str) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start("--save", "900 1")
        replies = [server.call("SET", "a", 1), server.call("SAVE"), server.call("SET", "b", 1)]
        before = (server.directory / "dump.rdb").read_bytes()
        server.disk.refuse(fault)
        # Redis does not say why SAVE has failed.
        replies.append(server.call(command).partition(b" " if command == "SAVE" else b"\n")[0])
        wait_for(lambda: server.info("rdb_bgsave_in_progress") == b"0")
        replies += [server.call("SET", "c", 1), server.info("rdb_last_bgsave_status")]
        assert (server.directory / "dump.rdb").read_bytes() == before
        names = {path.name for path in server.directory.iterdir()}
        assert names - {"dump.rdb.lock"} == {"dump.rdb"}
        server.disk.allow()
        replies.append(server.call("SAVE"))
        replies.append(server.call("SET", "d", 1))
        # Which of two processes logs first is a matter of chance.
        lines = sorted(line.partition("started by")[0] for line in server.lines())
        return [replies, lines, server.restart("--save", "")]

    replies, _lines, keys = compare(scenario)
    assert replies[4].startswith(b"-MISCONF Redis is configured" if command == "BGSAVE" else b"+OK")
    assert replies[6:] == [b"+OK", b"+OK"]
    assert keys[:2] == [b"a", b"b"]


@pytest.mark.parametrize(
    "fault",
    [
        "fsync EIO temp-rewriteaof", "rename EIO base.rdb",
        "write ENOSPC temp-appendonly.aof.manifest", "rename EIO appendonly.aof.manifest",
        "open EACCES incr.aof", "fsync EIO appendonlydir$",
    ],
)  # fmt: skip
def test_a_rewrite_that_fails(compare: Compare, fault: str) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start(*LOG, "everysec")
        replies = [server.call("SET", "a", 1)]
        server.disk.refuse(fault)
        replies.append(server.call("BGREWRITEAOF"))
        wait_for(lambda: server.info("aof_rewrite_in_progress") == b"0")
        replies += [server.call("SET", "b", 1), server.info("aof_last_bgrewrite_status")]
        server.wait_for_writes()
        keys = server.restart(*LOG, "everysec")
        replies += [server.call("SET", "c", 1), server.call("BGREWRITEAOF")]
        wait_for(lambda: server.info("aof_rewrite_in_progress") == b"0")
        replies.append(server.info("aof_last_bgrewrite_status"))
        return [replies, keys, server.restart(*LOG, "everysec")]

    replies, before, after = compare(scenario)
    assert replies[2:4] == [b"+OK", b"err"]
    assert replies[-1] == b"ok"
    assert before == [b"a", b"b"]
    assert after == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "fault",
    [
        "fsync EIO temp-rewriteaof", "rename EIO base.rdb", "open EACCES incr.aof",
        "rename EIO appendonly.aof.manifest", "fsync EIO appendonlydir$",
    ],
)  # fmt: skip
def test_a_start_that_fails(compare: Compare, fault: str) -> None:
    def scenario(server: Server) -> list[Any]:
        server.disk.refuse(fault)
        server.start(*LOG, "everysec")
        return [server.wait_for_end(), server.lines(), server.restart(*LOG, "everysec")]

    status, lines, keys = compare(scenario)
    assert status == 1 and len(lines) >= 1 and keys == []


def test_a_manifest_that_may_not_last_costs_no_file(tmp_path: Path) -> None:
    """redis-server deletes files here that the manifest names, and cannot be started again."""
    server = Server(OURS, tmp_path)
    server.start("--save", "")
    server.call("SET", "a", 1)
    server.disk.refuse("fsync EIO appendonlydir$")
    server.call("CONFIG", "SET", "appendonly", "yes")
    wait_for(lambda: server.info("aof_last_bgrewrite_status") == b"err")
    assert server.restart(*LOG, "everysec") == [b"a"]
    server.stop()


def _small_files() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))


def test_a_limit_of_the_kernel(compare: Compare) -> None:
    def scenario(server: Server) -> list[Any]:
        server.start(*LOG, "everysec", preexec_fn=_small_files, restore_signals=False)
        replies = [server.call("SET", f"key{number}", "v" * 1000) for number in range(22)]
        replies += [server.call("SAVE"), server.call("PING")]
        return [replies, server.restart(*LOG, "everysec")]

    replies, keys = compare(scenario)
    assert replies[-1].startswith(b"-MISCONF Errors writing to the AOF file")
    # What comes after the first failure is refused, and not just lost.
    refused = sum(reply.startswith(b"-MISCONF") for reply in replies[:22])
    assert 22 - refused - 1 <= len(keys) < 22


def test_directories_that_are_none(compare: Compare) -> None:
    def scenario(server: Server) -> list[Any]:
        place = server.directory / "appendonlydir"
        place.write_bytes(b"")
        server.start(*LOG, "everysec")
        outcome: list[Any] = [server.wait_for_end(), server.lines()]
        place.unlink()
        server.start("--save", "")
        outcome += [server.call("SET", "a", 1)]
        away = server.directory.with_name("away")
        server.directory.rename(away)
        outcome += [server.call("GET", "a")]
        away.rename(server.directory)
        return [*outcome, server.call("SAVE"), server.restart("--save", "")]

    outcome = compare(scenario)
    assert outcome[0] == 1
    assert outcome[1] == ["Can't open or create append-only dir appendonlydir: Not a directory"]
    assert outcome[-1] == [b"a"]
