"""User commands in a server: --loadmodule, redis-cli, MODULE LOAD, failures at the start."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.peers import ServerProcess

EXAMPLE = Path(__file__).parents[2] / "examples" / "scores.py"

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[ServerProcess] = []

    def begin(*arguments: str) -> ServerProcess:
        servers.append(ServerProcess(tmp_path, "--save", "", *arguments))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def test_loadmodule(start):
    server = start("--loadmodule", str(EXAMPLE), "100").wait_until_ready()
    client = server.connect()
    assert "<scores> scores go up to 100\n" in server.log
    assert f"Module 'scores' loaded from {EXAMPLE}\n" in server.log
    assert client.call("SCORE.ADD", "anna", 70) == 70
    assert client.call("score.add", "anna", 70) == 100
    assert client.call("MULTI") == b"+OK"
    assert client.call("SCORE.ADD", "bert", 3) == b"+QUEUED"
    assert client.call("SCORE.TOP", "bert", "anna") == b"+QUEUED"
    assert client.call("EXEC") == [3, [b"anna", 100, b"bert", 3]]
    assert client.call("SCORE.ADD", "anna", "x").startswith(b"-ERR ValueError: invalid literal")
    assert client.call("MODULE", "LIST") == [
        [b"name", b"scores", b"ver", 1, b"path", str(EXAMPLE).encode(), b"args", [b"100"]]
    ]
    assert client.call("MODULE", "UNLOAD", "scores").startswith(b"-ERR MODULE command not allowed.")


def test_redis_cli(start):
    server = start("--loadmodule", str(EXAMPLE)).wait_until_ready()
    command = ["redis-cli", "-p", str(server.port), "SCORE.ADD", "anna", "7"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert run.stdout.strip() == "7"


def test_module_load(start, tmp_path):
    server = start("--enable-module-command", "local").wait_until_ready()
    client = server.connect()
    broken = tmp_path / "broken.py"
    broken.write_text("import carnelian\nnonsense\n")
    reason = "NameError: name 'nonsense' is not defined (broken.py, line 2)"
    assert client.call("MODULE", "LOAD", broken) == (
        f"-ERR Error loading the extension. {reason}".encode()
    )
    assert f"Module {broken} failed to load: {reason}\n" in server.log
    assert client.call("MODULE", "LOAD", EXAMPLE) == b"+OK"
    assert client.call("SCORE.ADD", "anna", 1) == 1
    assert client.call("MODULE", "UNLOAD", "scores") == b"+OK"
    assert client.call("SCORE.ADD", "anna", 1).startswith(b"-ERR unknown command 'SCORE.ADD'")
    assert client.call("PING") == b"+PONG"


def test_a_module_that_fails_at_the_start_ends_the_server(start, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import carnelian\nraise RuntimeError('no way')\n")
    server = start("--loadmodule", str(broken))
    assert server.process.wait(20) == 1
    assert (
        f"Module {broken} failed to load: RuntimeError: no way (broken.py, line 2)\n" in server.log
    )
    assert f"Can't load module from {broken}: server aborting\n" in server.log
