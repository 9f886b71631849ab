"""The file of a node: who may use it, and how it is replaced."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from carnelian.cluster.serving.nodes_store import NodesFileInUse, NodesStore
from support.servers import StartRedis, require
from support.waiting import free_port, wait_for

from .conftest import MakeNode
from .local_node import LocalNode


def test_reading_and_replacing(tmp_path: Path) -> None:
    path = tmp_path / "nodes.conf"
    store = NodesStore(str(path))
    store.lock()
    assert store.read() == b""
    store.save(b"one\n", True)
    store.save(b"two\n", False)
    assert path.read_bytes() == b"two\n"
    store.append(b"more\n")
    assert path.read_bytes() == b"two\nmore\n"
    store.save(b"two\n", False)
    assert path.read_bytes() == b"two\n"
    assert os.listdir(tmp_path) == ["nodes.conf"]
    # The lock is that of the file that is there now.
    with path.open("rb") as stream, pytest.raises(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(NodesFileInUse):
        NodesStore(str(path)).lock()
    store.release()
    other = NodesStore(str(path))
    other.lock()
    assert other.read() == b"two\n"
    other.release()


def test_replaced_files_are_closed_whatever_interrupts(tmp_path: Path) -> None:
    store = NodesStore(str(tmp_path / "nodes.conf"))
    store.lock()

    def kept() -> int:
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        texts = [os.readlink(link) for link in links if os.path.islink(link)]
        return sum(text.startswith(str(tmp_path)) for text in texts)

    store.save(b"one\n", False)
    before = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        (closer,) = [each for each in threading.enumerate() if each.name == "nodes-file"]
        assert closer.ident is not None
        for _ in range(5):
            wait_for(lambda: kept() == 1)
            signal.pthread_kill(closer.ident, signal.SIGUSR2)
            store.save(b"more\n", False)
        wait_for(lambda: kept() == 1)
        assert closer.is_alive()
    finally:
        signal.signal(signal.SIGUSR2, before)
    store.release()
    closer.join(10)
    assert not closer.is_alive() and not kept()


def test_a_file_that_cannot_be_replaced(tmp_path: Path) -> None:
    store = NodesStore(str(tmp_path / "nodes.conf"))
    store.lock()
    store.save(b"one\n", True)
    (tmp_path / f"nodes.conf.tmp-{os.getpid()}").mkdir()
    with pytest.raises(OSError):
        store.save(b"two\n", True)
    assert (tmp_path / "nodes.conf").read_bytes() == b"one\n"
    store.release()
    with pytest.raises(OSError):
        NodesStore(str(tmp_path / "nowhere" / "nodes.conf")).lock()


def test_a_child_does_not_keep_the_file(tmp_path: Path) -> None:
    store = NodesStore(str(tmp_path / "nodes.conf"))
    store.lock()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    store.release()
    other = NodesStore(store.path)
    other.lock()
    other.release()
    os.close(writer)
    os.close(reader)
    os.waitpid(child, 0)


def test_redis_server_is_kept_out(tmp_path: Path) -> None:
    require("redis-server", "redis-server")
    store = NodesStore(str(tmp_path / "nodes.conf"))
    store.lock()
    store.save(b"", False)
    refused = subprocess.run(
        ["redis-server", "--port", str(free_port()), "--cluster-enabled", "yes"],
        cwd=tmp_path,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert b"already used by a different Redis Cluster node" in refused.stdout
    store.release()


def test_redis_server_keeps_us_out(start_redis: StartRedis) -> None:
    server = start_redis("--cluster-enabled", "yes", "--save", "")
    with pytest.raises(NodesFileInUse):
        NodesStore(str(server.directory / "nodes.conf")).lock()


def test_what_is_known_is_there_again(make_node: MakeNode, tmp_path: Path) -> None:
    node = make_node()
    node.client()("CLUSTER", "SAVECONFIG")
    text = (tmp_path / "node-0" / "nodes.conf").read_bytes()
    node.service.stop()
    again = LocalNode.__new__(LocalNode)
    directory = tmp_path / "again"
    directory.mkdir()
    (directory / "nodes.conf").write_bytes(text)
    again.__init__(directory)  # type: ignore[misc]
    assert again.myself.id == node.myself.id
    assert again.myself.slot_count == 16384
    assert node.other.id in again.view.nodes
    again.close()


def test_a_damaged_file(make_node: MakeNode, tmp_path: Path) -> None:
    directory = tmp_path / "damaged"
    directory.mkdir()
    (directory / "nodes.conf").write_bytes(b"nonsense\n")
    with pytest.raises(SystemExit):
        LocalNode(directory)
