"""A server and its snapshot: background saves, save points, loading, and the end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from support.waiting import wait_for

from .conftest import Start
from .peers import Client

DEBUG = ("--enable-debug-command", "yes")


def field(client: Client, name: str) -> str:
    for line in client.call("INFO", "persistence").decode().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value
    raise AssertionError(f"no field {name}")


def idle(client: Client) -> bool:
    return field(client, "rdb_bgsave_in_progress") == "0"


def test_a_snapshot_that_is_not_loaded_is_told_of(start: Start, tmp_path: Path) -> None:
    directory = ("--dir", str(tmp_path))
    server = start(*directory)
    client = server.connect()
    client.call("SET", "key", "value")
    client.call("SAVE")
    server.stop()
    words = (*directory, "--appendonly", "yes")
    warning = "# dump.rdb is there but is not loaded: appendonly is on"
    server = start(*words)
    assert server.connect().call("DBSIZE") == 0
    assert warning in server.log
    server.stop()
    # From then on there is a log.
    server = start(*words)
    assert warning not in server.log


def test_a_child_writes_the_file(start: Start) -> None:
    server = start(*DEBUG)
    client = server.connect()
    client.call("DEBUG", "POPULATE", 1000)
    assert client.call("BGSAVE") == b"+Background saving started"
    wait_for(lambda: idle(client))
    assert field(client, "rdb_last_bgsave_status") == "ok"
    assert field(client, "rdb_changes_since_last_save") == "0"
    assert (server.directory / "dump.rdb").stat().st_size > 1000
    assert b"Background saving terminated with success" in server.output.read_bytes()


def test_only_one_child_at_a_time(start: Start) -> None:
    client = start(*DEBUG, "--rdb-key-save-delay", "1000000").connect()
    client.call("SET", "a", "b")
    client.call("BGSAVE")
    assert client.call("BGSAVE") == b"-ERR Background save already in progress"
    assert client.call("SAVE") == b"-ERR Background save already in progress"
    assert client.call("BGSAVE", "WRONG") == b"-ERR syntax error"
    client.call("FLUSHALL")
    wait_for(lambda: idle(client))
    assert field(client, "rdb_last_bgsave_status") == "ok"


def test_a_transaction_schedules(start: Start) -> None:
    client = start(*DEBUG).connect()
    client.call("MULTI")
    client.call("BGSAVE")
    assert client.call("EXEC") == [b"+Background saving scheduled"]
    wait_for(lambda: field(client, "rdb_saves") == "1" and idle(client))


def test_a_killed_child_stops_writes(start: Start) -> None:
    server = start(*DEBUG, "--save", "1000", "1000", "--rdb-key-save-delay", "10000000")
    client = server.connect()
    client.call("SET", "a", "b")
    client.call("BGSAVE")
    wait_for(lambda: "started by pid" in server.output.read_text())
    child = int(server.output.read_text().rpartition("started by pid ")[2].split()[0])
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: idle(client))
    assert client.call("SET", "a", "c").startswith(b"-MISCONF Redis is configured to save RDB")
    assert client.call("PING").startswith(b"-MISCONF")
    assert client.call("GET", "a") == b"b"
    assert not list(server.directory.glob("temp-*"))
    client.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    assert client.call("SET", "a", "c") == b"+OK"
    client.call("CONFIG", "SET", "rdb-key-save-delay", "0")


def test_a_child_without_a_parent_gives_up(start: Start) -> None:
    server = start("--rdb-key-save-delay", "300000")
    client = server.connect()
    client.call("MSET", "a", 1, "b", 2)
    client.call("BGSAVE")
    wait_for(lambda: any(server.directory.glob("temp-*")))
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    # Whoever owns the files now has written a newer snapshot.
    (server.directory / "dump.rdb").write_bytes(b"newer")
    wait_for(lambda: "what it had begun in background is given up" in server.log)
    assert not any(server.directory.glob("temp-*"))
    assert (server.directory / "dump.rdb").read_bytes() == b"newer"


@pytest.mark.parametrize("killed", [True, False])
def test_a_child_takes_no_place_by_itself(start: Start, killed: bool) -> None:
    server = start("--rdb-key-save-delay", "300000")
    client = server.connect()
    client.call("SET", "a", 1)
    client.call("BGSAVE")
    server.process.send_signal(signal.SIGSTOP)
    snapshot, directory = server.directory / "dump.rdb", server.directory
    wait_for(lambda: any(path.stat().st_size for path in directory.glob("temp-*")))
    # All is written: the child would have renamed the file long before this.
    time.sleep(0.3)
    assert not snapshot.exists()
    snapshot.write_bytes(b"newer")
    server.process.send_signal(signal.SIGKILL if killed else signal.SIGCONT)
    wait_for(lambda: not any(directory.glob("temp-*")))
    if killed:
        assert snapshot.read_bytes() == b"newer"
    else:
        wait_for(lambda: idle(client))
        assert snapshot.read_bytes().startswith(b"REDIS")
        assert field(client, "rdb_last_bgsave_status") == "ok"


def test_save_points(start: Start) -> None:
    server = start(*DEBUG, "--save", "1", "2")
    client = server.connect()
    client.call("MSET", "a", 1, "b", 2)
    client.call("SET", "c", 3)
    wait_for(lambda: (server.directory / "dump.rdb").exists())
    wait_for(lambda: field(client, "rdb_changes_since_last_save") == "0")
    client.call("FLUSHALL")
    assert field(client, "rdb_changes_since_last_save") == "0"


def test_the_end_and_the_beginning(start: Start, tmp_path: Path) -> None:
    there = tmp_path / "data"
    there.mkdir()
    server = start(*DEBUG, "--dir", str(there), "--save", "1000", "1000")
    client = server.connect()
    client.call("SET", "a", "b")
    client.call("HSET", "h", "f", "v")
    digest = client.call("DEBUG", "DIGEST")
    client.send(b"SHUTDOWN\r\n")
    assert client.at_end()
    assert (there / "dump.rdb").exists()
    again = start(*DEBUG, "--dir", str(there))
    client = again.connect()
    assert client.call("DEBUG", "DIGEST") == digest
    assert field(client, "rdb_last_load_keys_loaded") == "2"
    assert b"DB loaded from disk" in again.output.read_bytes()


def test_clients_are_told_to_wait(start: Start, tmp_path: Path) -> None:
    there = tmp_path / "data"
    there.mkdir()
    client = start(*DEBUG, "--dir", str(there), "--rdbcompression", "no").connect()
    client.call("DEBUG", "POPULATE", 2000, "key", 1000)
    client.call("SAVE")
    slow = start(
        *DEBUG, "--dir", str(there), "--key-load-delay", "3000",
        "--loading-process-events-interval-bytes", "1024", wait=False,
    )  # fmt: skip
    wait_for(lambda: "Server initialized" in slow.output.read_text())
    client = slow.connect()
    assert client.call("GET", "key:1") == b"-LOADING Redis is loading the dataset in memory"
    assert field(client, "loading") == "1"
    assert int(field(client, "loading_total_bytes")) > 2_000_000
    assert client.call("CONFIG", "SET", "repl-diskless-load", "swapdb").startswith(b"-LOADING")
    slow.process.terminate()
    assert slow.process.wait(10) == 0
    assert "Received shutdown signal during loading, exiting now." in slow.output.read_text()


def test_a_damaged_file_stops_the_start(start: Start, tmp_path: Path) -> None:
    there = tmp_path / "data"
    there.mkdir()
    (there / "dump.rdb").write_bytes(b"REDIS0010\xff12345678")
    server = start("--dir", str(there), wait=False)
    assert server.process.wait(10) == 1
    assert "RDB CRC error" in server.output.read_text()
