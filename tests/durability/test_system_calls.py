"""When the kernel is asked to force the log to the disk, seen from outside of the server."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support.servers import require
from support.wire import request

_MEMORY_FOLDER = "/dev/shm"
_CALL = re.compile(r"^\d+ +(?P<time>[\d.]+) (?P<call>\w+)\(\d+<(?P<file>[^>]*)>(?P<rest>.*)$")


@contextmanager
def traced(server: ServerProcess, output: Path) -> Iterator[None]:
    """Have the system calls of a server written to a file."""
    require("strace", "strace")
    calls = "trace=write,writev,sendto,fsync,fdatasync"
    command = ["strace", "-f", "-ttt", "-y", "-s", "16", "-e", calls, "-o", str(output)]
    with subprocess.Popen(
        [*command, "-p", str(server.process.pid)], stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert tracer.stderr is not None
        line = tracer.stderr.readline()
        assert "attached" in line, f"strace cannot watch another process here: {line}"
        yield
        tracer.terminate()


def begin(directory: Path, policy: str) -> ServerProcess:
    return ServerProcess(
        directory, "--appendonly", "yes", "--appendfsync", policy, "--save", ""
    ).wait_until_ready()


def test_always_syncs_before_it_replies(tmp_path: Path) -> None:
    server = begin(tmp_path, "always")
    clients = [server.connect() for _ in range(4)]
    with traced(server, tmp_path / "trace"):
        for number in range(50):
            for client in clients:
                client.send(request("SET", "key", number) * (1 + number % 3))
            for client in clients:
                for _ in range(1 + number % 3):
                    assert client.reply() == b"+OK"
    server.stop()
    written, synced, replies = 0, 0, 0
    for line in (tmp_path / "trace").read_text().splitlines():
        call = _CALL.match(line)
        if call is None:
            continue
        if "incr.aof" in call["file"]:
            if call["call"] == "write":
                written += 1
            elif call["call"] == "fdatasync":
                assert call["rest"].endswith("= 0")
                synced = written
        elif '"+OK' in call["rest"]:
            assert synced == written > 0
            replies += 1
    assert replies >= 50


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk that others do not keep busy, where there is one: while it is being
    forced to, nobody begins to do so again.
    """
    if not os.access(_MEMORY_FOLDER, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY_FOLDER) as name:
        yield Path(name)


def test_everysec_syncs_every_second(quick_path: Path) -> None:
    server = begin(quick_path, "everysec")
    client = server.connect()
    with traced(server, quick_path / "trace"):
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert client.call("INCR", "key") > 0
    server.stop()
    moments = [
        float(call["time"])
        for line in (quick_path / "trace").read_text().splitlines()
        if (call := _CALL.match(line)) and call["call"] == "fdatasync"
    ]
    assert len(moments) >= 3
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert max(gaps) < 2
