"""Rewrites of the log under load: what was acknowledged is there when a server starts again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support.waiting import wait_for

WRITERS = 4


class Writer(threading.Thread):
    """Counts a key up, one acknowledged command after the other, until the server is gone."""

    def __init__(self, server: ServerProcess, key: str):
        super().__init__()
        self.acknowledged = 0
        self._client = server.connect()
        self._key = key

    def run(self) -> None:
        number = 0
        try:
            while self._client.call("SET", self._key, number + 1) == b"+OK":
                number += 1
                self.acknowledged = number
        except (OSError, ValueError):
            pass


def wait_for_writes(writers: list[Writer], number: int) -> None:
    wait_for(lambda: min(writer.acknowledged for writer in writers) >= number)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def begin(directory: Path, *arguments: str) -> ServerProcess:
    options = ("--save", "", "--appendonly", "yes", "--enable-debug-command", "yes", *arguments)
    return ServerProcess(directory, *options).wait_until_ready()


@pytest.fixture
def servers() -> Iterator[list[ServerProcess]]:
    started: list[ServerProcess] = []
    yield started
    for server in started:
        server.stop(signal.SIGKILL)


def test_a_rewrite_by_a_child_under_load_loses_nothing(
    directory: Path, servers: list[ServerProcess]
) -> None:
    server = begin(directory, "--aof-use-rdb-preamble", "no")
    servers.append(server)
    client = server.connect()
    client.call("DEBUG", "POPULATE", 20_000)
    writers = [Writer(server, f"writer:{number}") for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    wait_for_writes(writers, 20)
    assert client.call("BGREWRITEAOF") == b"+Background append only file rewriting started"
    wait_for(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence"))
    wait_for_writes(writers, max(writer.acknowledged for writer in writers) + 20)
    server.stop()
    for writer in writers:
        writer.join()
    assert "Background AOF rewrite finished successfully" in server.log
    again = begin(directory)
    servers.append(again)
    client = again.connect()
    assert client.call("DBSIZE") == 20_000 + WRITERS
    for number, writer in enumerate(writers):
        found = int(client.call("GET", f"writer:{number}"))
        assert writer.acknowledged <= found <= writer.acknowledged + 1


def test_an_end_of_the_child_is_no_end_of_the_log(
    directory: Path, servers: list[ServerProcess]
) -> None:
    server = begin(directory, "--rdb-key-save-delay", "1000000")
    servers.append(server)
    client = server.connect()
    client.call("SET", "a", 1)
    client.call("BGREWRITEAOF")
    assert client.call("BGREWRITEAOF") == (
        b"-ERR Background append only file rewriting already in progress"
    )
    assert client.call("BGSAVE").startswith(b"-ERR Another child process is active (AOF?)")
    client.call("CONFIG", "SET", "appendonly", "no")
    assert "Killing running AOF rewrite child" in server.log
    assert not list(directory.glob("temp-rewriteaof-*"))
    client.call("CONFIG", "SET", "rdb-key-save-delay", 0)
    client.call("CONFIG", "SET", "appendonly", "yes")
    wait_for(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence"))
    client.call("SET", "b", 1)
    server.stop()
    again = begin(directory)
    servers.append(again)
    assert again.connect().call("EXISTS", "a", "b") == 2
