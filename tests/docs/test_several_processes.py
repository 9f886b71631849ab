"""The programs of docs/several-processes.md, in processes as web servers start them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.blocks import write_files
from server.peers import ServerProcess
from support.compiled import ROOT

PAGE = ROOT / "docs" / "several-processes.md"

FORKS = """
import os, sys, traceback

def in_children(function, count=3):
    for _ in range(count):
        if os.fork() == 0:
            try:
                function()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            sys.stdout.flush()
            os._exit(0)
        assert os.wait()[1] == 0
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """The server whose socket the programs name."""
    server = ServerProcess(tmp_path, "--unixsocket", str(tmp_path / "carnelian.sock"))
    yield server.wait_until_ready()
    server.stop()


def run(directory: Path, program: str) -> list[str]:
    """The sorted lines that a program prints, with the files of the page beside it."""
    write_files(PAGE, directory)
    for path in directory.glob("*.py"):
        path.write_text(path.read_text().replace("/run/app", str(directory)))
    done = subprocess.run(
        [sys.executable, "-c", FORKS + program],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


def test_workers_share_a_server(tmp_path: Path, server: ServerProcess) -> None:
    program = """
import app
start = lambda status, headers: print(status)
app.app({}, start)  # as with --preload, and one that has talked already
in_children(lambda: print(app.app({}, start)[0].decode().split(",")[0]))
"""
    assert run(tmp_path, program) == ["200 OK"] * 4 + ["visit 2", "visit 3", "visit 4"]


def test_asgi_workers_share_a_server(tmp_path: Path, server: ServerProcess) -> None:
    program = """
import asyncio, asgi
async def send(message):
    print(message.get("body", b"").decode(), end="")
in_children(lambda: asyncio.run(asgi.app({"type": "http"}, None, send)))
"""
    assert run(tmp_path, program) == ["visit 1", "visit 2", "visit 3"]


def test_workers_share_a_path(tmp_path: Path) -> None:
    program = """
import shared
start = lambda status, headers: None
print(shared.app({}, start)[0].decode().strip())  # as with --preload
in_children(lambda: print(shared.app({}, start)[0].decode().strip()))
"""
    assert run(tmp_path, program) == ["visit 1", "visit 2", "visit 3", "visit 4"]


def test_each_process_has_a_cache(tmp_path: Path) -> None:
    program = """
import caches
in_children(lambda: print(caches.cache().execute("INCR", "mine")))
print(caches.cache().execute("INCR", "mine"), caches.cache().execute("GET", "greeting"))
"""
    assert run(tmp_path, program) == ["1", "1", "1", "1 b'hello'"]


def test_an_engine_made_before_the_fork_is_the_parents(tmp_path: Path) -> None:
    program = """
import carnelian
engine = carnelian.Engine("app.db")

def worker():
    try:
        engine.execute("PING")
    except carnelian.EngineClosedError:
        print("closed")
    try:
        carnelian.Engine("app.db")
    except carnelian.DatabaseLockedError as error:
        print(error.pid == os.getppid())

in_children(worker)
engine.close()
in_children(lambda: print(carnelian.Engine("app.db").execute("PING")), count=1)
"""
    assert run(tmp_path, program) == ["True"] * 3 + ["b'PONG'"] + ["closed"] * 3


def test_the_page_is_there_for_the_error() -> None:
    source = (ROOT / "src" / "carnelian" / "embedded" / "errors.py").read_text()
    assert str(PAGE.relative_to(ROOT)) in source
    assert os.path.exists(PAGE)
