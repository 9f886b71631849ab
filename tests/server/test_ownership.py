"""One file, one owner: servers and embedded engines keep each other from their files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import carnelian
from support.waiting import wait_for

from .peers import ServerProcess

Begin = Callable[..., ServerProcess]
AOF = ("--appendonly", "yes", "--save", "")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a server whose files are in ``tmp_path / "data"``."""
    servers: list[ServerProcess] = []
    (tmp_path / "data").mkdir()

    def start(*arguments: str, wait: bool = True) -> ServerProcess:
        directory = tmp_path / f"server{len(servers)}"
        directory.mkdir()
        server = ServerProcess(directory, "--dir", str(tmp_path / "data"), *arguments)
        servers.append(server)
        return server.wait_until_ready() if wait else server

    yield start
    for server in servers:
        server.stop(signal.SIGKILL)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def refused(server: ServerProcess) -> str:
    """Why a server did not start."""
    assert server.process.wait(60) == 1
    (line,) = [line for line in server.log.splitlines() if "FATAL" in line]
    return line.partition("FATAL: ")[2]


def message(path: Path, pid: int) -> str:
    return (
        f"{path} is in use by process {pid}, and each would overwrite what the other has saved: "
        "use another dir, dbfilename or appenddirname. Exiting."
    )


def test_a_server_that_saves_has_its_snapshot_to_itself(begin: Begin, data: Path) -> None:
    server = begin("--dbfilename", "app.db")
    pid = server.process.pid
    with pytest.raises(carnelian.DatabaseLockedError, match=f"in use by process {pid}: ") as e:
        carnelian.Engine(data / "app.db")
    assert e.value.pid == pid
    other = begin("--dbfilename", "app.db", wait=False)
    assert refused(other) == message(data / "app.db", pid)
    # One that logs would write a snapshot of that name, too.
    other = begin("--dbfilename", "app.db", *AOF, wait=False)
    assert refused(other) == message(data / "app.db", pid)
    begin("--dbfilename", "other.db")
    assert server.stop() == 0
    assert not (data / "app.db.lock").exists()
    carnelian.Engine(data / "app.db").close()


def test_an_embedded_engine_has_its_files_to_itself(begin: Begin, data: Path) -> None:
    with carnelian.Engine(data / "app.db", appendonly=True) as engine:
        engine.execute("SET", "k", "v")
        other = begin("--dbfilename", "app.db", wait=False)
        assert refused(other) == message(data / "app.db", os.getpid())
        other = begin(*AOF, "--appenddirname", "app.db.aof", wait=False)
        assert refused(other) == message(data / "app.db.aof" / "appendonly.aof", os.getpid())
    assert sorted(os.listdir(data / "app.db.aof")) == [
        "appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest",
    ]  # fmt: skip


def test_a_log_of_a_server_is_not_opened(begin: Begin, data: Path) -> None:
    begin(*AOF, "--appenddirname", "app.db.aof")
    with pytest.raises(carnelian.DatabaseLockedError):
        carnelian.Engine(data / "app.db")
    assert not (data / "app.db.lock").exists()


def test_servers_that_write_nothing_share_a_directory(begin: Begin, data: Path) -> None:
    with carnelian.Engine(data / "dump.rdb") as engine:
        engine.execute("SET", "k", "v")
        engine.execute("SAVE")
        servers = [begin("--save", "") for _ in range(2)]
        clients = [server.connect() for server in servers]
        for client in clients:
            assert client.call("GET", "k") == b"v"
            owner = f"{data / 'dump.rdb'} is in use by process {os.getpid()}"
            assert client.call("SAVE") == f"-ERR Can't save: {owner}".encode()
            assert client.call("BGSAVE") == f"-ERR Can't save: {owner}".encode()
            refusal = client.call("CONFIG", "SET", "save", "60 1")
            assert refusal.endswith(f"argument 'save') - {owner}".encode())
            assert client.call("CONFIG", "GET", "save") == [b"save", b""]
            assert client.call("CONFIG", "SET", "appendonly", "yes").startswith(b"-ERR")
            assert client.call("CONFIG", "GET", "appendonly") == [b"appendonly", b"no"]
    # Who saves first has it from then on.
    assert clients[0].call("SAVE") == b"+OK"
    owner = f"{data / 'dump.rdb'} is in use by process {servers[0].process.pid}"
    assert clients[1].call("SAVE") == f"-ERR Can't save: {owner}".encode()
    assert clients[0].call("SAVE") == b"+OK"


def test_servers_that_log_may_share_a_directory(begin: Begin, data: Path) -> None:
    """As redis-servers do whose logs have different names."""
    servers = [begin("--appendonly", "yes", "--appendfilename", name) for name in ("a", "b")]
    clients = [server.connect() for server in servers]
    for client in clients:
        assert client.call("SAVE") == b"+OK"
    other = begin("--appendonly", "yes", "--appendfilename", "a", wait=False)
    pid = servers[0].process.pid
    assert refused(other) == message(data / "appendonlydir" / "a", pid)
    refused(begin(wait=False))
    with pytest.raises(carnelian.DatabaseLockedError):
        carnelian.Engine(data / "dump.rdb")
    # Without a log, the snapshot is what counts.
    refusal = clients[0].call("CONFIG", "SET", "appendonly", "no")
    owner = f"{data / 'dump.rdb'} is in use by process {servers[1].process.pid}"
    assert refusal.endswith(f"argument 'appendonly') - {owner}".encode())
    assert clients[0].call("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]
    assert servers[1].stop() == 0
    assert (data / "dump.rdb.lock").exists()
    assert clients[0].call("CONFIG", "SET", "appendonly", "no") == b"+OK"
    refused(begin("--appendonly", "yes", "--appendfilename", "b", wait=False))
    assert servers[0].stop() == 0
    assert not (data / "dump.rdb.lock").exists()


def test_a_lock_moves_with_the_file(begin: Begin, data: Path, tmp_path: Path) -> None:
    server = begin("--enable-protected-configs", "yes", "--save", "900 1")
    client = server.connect()
    assert client.call("CONFIG", "SET", "dbfilename", "app.db") == b"+OK"
    assert sorted(path.name for path in data.iterdir()) == ["app.db.lock"]
    with carnelian.Engine(data / "taken.db"):
        refusal = client.call("CONFIG", "SET", "dbfilename", "taken.db")
        owner = f"{data / 'taken.db'} is in use by process {os.getpid()}"
        assert refusal.endswith(f"argument 'dbfilename') - {owner}".encode())
    assert client.call("CONFIG", "GET", "dbfilename") == [b"dbfilename", b"app.db"]
    assert sorted(path.name for path in data.iterdir()) == ["app.db.lock"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with carnelian.Engine(elsewhere / "app.db"):
        refusal = client.call("CONFIG", "SET", "dir", elsewhere)
        assert refusal.endswith(f"is in use by process {os.getpid()}".encode())
        assert client.call("CONFIG", "GET", "dir") == [b"dir", str(data).encode()]
    assert client.call("CONFIG", "SET", "dir", elsewhere) == b"+OK"
    assert sorted(path.name for path in elsewhere.iterdir()) == ["app.db.lock"]
    carnelian.Engine(data / "app.db").close()


def test_children_neither_hold_nor_release_a_lock(begin: Begin, data: Path) -> None:
    server = begin("--rdb-key-save-delay", "200000")
    client = server.connect()
    for number in range(20):
        client.call("SET", number, 1)
    client.call("BGSAVE")
    refused(begin(wait=False))
    client.call("CONFIG", "SET", "rdb-key-save-delay", 0)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    # Its child goes on for seconds.
    begin("--save", "900 1")


def test_a_killed_server_is_no_obstacle(begin: Begin, data: Path) -> None:
    for _ in range(2):
        server = begin("--appendonly", "yes")
        server.connect().call("INCR", "n")
        server.stop(signal.SIGKILL)
        assert (data / "dump.rdb.lock").read_text() == f"{server.process.pid}\n"
    server = begin("--appendonly", "yes")
    client = server.connect()
    wait_for(lambda: client.call("GET", "n") == b"2")
    assert client.call("CONFIG", "SET", "appendonly", "no") == b"+OK"
    assert not (data / "appendonlydir" / "appendonly.aof.lock").exists()
    begin("--dbfilename", "other.rdb", *AOF)
