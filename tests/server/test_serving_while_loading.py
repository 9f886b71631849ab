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
        ("GET", "last"), ("SET", "last", 2), ("CONFIG", "SET", "repl-diskless-load", "swapdb"),
        ("BGREWRITEAOF",), command,
    ):  # fmt: skip
        assert other.call(*words) == LOADING
    assert client.reply() == b"+OK"
    assert client.reply() == b"1"
    assert client.call("DBSIZE") == KEYS + 1
    client.send(request(*command))
    wait_for(lambda: b"loading:1" in other.call("INFO", "persistence"))
    assert other.call("CONFIG", "SET", "appendonly", "no") == b"+OK"
    # What is loaded is not given up for that.
    assert b"aof_enabled:1" in other.call("INFO", "persistence")
    assert client.reply() == b"+OK"
    assert b"aof_enabled:0" in client.call("INFO", "persistence")
    client.call("CONFIG", "SET", "appendonly", "yes")
    wait_for(lambda: b"aof_rewrite_in_progress:0" in other.call("INFO", "persistence"))
    client.call("CONFIG", "SET", "key-load-delay", 20_000)
    client.send(request(*command) + request("GET", "last"))
    wait_for(lambda: b"loading:1" in other.call("INFO", "persistence"))
    assert other.call("CLIENT", "KILL", "TYPE", "normal") == 1
    assert client.at_end()
    other.send(request("SHUTDOWN"))
    assert server.process.wait(10) == 0
    assert "CRASH REPORT" not in server.log and "BUG REPORT" not in server.log


@pytest.mark.parametrize(("before", "after"), [("yes", "no"), ("no", "yes")])
def test_the_log_is_switched_while_a_server_starts(tmp_path: Path, before: str, after: str) -> None:
    options = (
        "--appendonly", before, "--save", "3600 1", "--enable-debug-command", "yes",
        "--loading-process-events-interval-bytes", "1024",
    )  # fmt: skip
    server = ServerProcess(tmp_path, *options).wait_until_ready()
    client = server.connect()
    client.call("DEBUG", "POPULATE", KEYS, "key", 100)
    client.call("BGREWRITEAOF" if before == "yes" else "SAVE")
    wait_for(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence"))
    server.stop()
    server = ServerProcess(tmp_path, *options, "--key-load-delay", "2000")
    wait_for(lambda: "Server initialized" in server.log)
    client = server.connect()
    wait_for(lambda: b"loading:1" in client.call("INFO", "persistence"))
    assert client.call("CONFIG", "SET", "appendonly", after) == b"+OK"
    assert b"\r\nloading:1" in client.call("INFO", "persistence")
    wait_for(lambda: b"\r\nloading:0" in client.call("INFO", "persistence"))
    shown = b"aof_enabled:1" if after == "yes" else b"aof_enabled:0"
    assert shown in client.call("INFO", "persistence")
    assert client.call("DBSIZE") == KEYS
    assert client.call("SET", "last", 1) == b"+OK"
    wait_for(lambda: b"aof_rewrite_in_progress:0" in client.call("INFO", "persistence"))
    server.stop()
    server = ServerProcess(tmp_path, *options[2:], "--appendonly", after).wait_until_ready()
    assert server.connect().call("GET", "last") == b"1"
    server.stop()
