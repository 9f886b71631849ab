"""DEBUG RELOAD and DEBUG LOADAOF: others are told to wait, and nothing is saved meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.waiting import wait_for
from support.wire import request

from .peers import ServerProcess

LOADING = b"-LOADING Redis is loading the dataset in memory"
KEYS = 500


@pytest.mark.parametrize("command", [("DEBUG", "LOADAOF"), ("DEBUG", "RELOAD")])
def test_a_command_that_loads(tmp_path: Path, command: tuple[str, str]) -> None:
    server = ServerProcess(
        tmp_path, "--appendonly", "yes", "--save", "", "--enable-debug-command", "yes",
        "--loading-process-events-interval-bytes", "1024",
    ).wait_until_ready()  # fmt: skip
    client, other = server.connect(), server.connect()
    client.call("DEBUG", "POPULATE", KEYS, "key", 100)
    client.call("BGREWRITEAOF")
    wait_for(lambda: b"aof_rewrite_in_progress:0" in other.call("INFO", "persistence"))
    client.call("SET", "last", 1)
    client.call("CONFIG", "SET", "key-load-delay", 2000)
    client.send(request(*command) + request("GET", "last"))
    wait_for(lambda: b"loading:1" in other.call("INFO", "persistence"))
    for words in (
        ("GET", "last"), ("SET", "last", 2), ("CONFIG", "SET", "appendonly", "no"),
        ("BGREWRITEAOF",), command,
    ):  # fmt: skip
        assert other.call(*words) == LOADING
    assert client.reply() == b"+OK"
    assert client.reply() == b"1"
    assert client.call("DBSIZE") == KEYS + 1
    client.call("CONFIG", "SET", "key-load-delay", 20_000)
    client.send(request(*command) + request("GET", "last"))
    wait_for(lambda: b"loading:1" in other.call("INFO", "persistence"))
    assert other.call("CLIENT", "KILL", "TYPE", "normal") == 1
    assert client.at_end()
    other.send(request("SHUTDOWN"))
    assert server.process.wait(10) == 0
    assert "CRASH REPORT" not in server.log and "BUG REPORT" not in server.log
