"""Server processes for the tests of this directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .peers import Client, ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start carnelian-server with arguments and wait until it is ready."""
    servers: list[ServerProcess] = []

    def begin(*arguments: str, wait: bool = True, port: int | None = None) -> ServerProcess:
        directory = tmp_path / f"server-{len(servers)}"
        directory.mkdir()
        servers.append(ServerProcess(directory, "--save", "", *arguments, port=port))
        return servers[-1].wait_until_ready() if wait else servers[-1]

    yield begin
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with default settings for the tests of a module."""
    process = ServerProcess(
        tmp_path_factory.mktemp("server"), "--save", "", "--enable-debug-command", "yes"
    )
    yield process.wait_until_ready()
    process.stop()


@pytest.fixture
def client(server: ServerProcess) -> Client:
    """A client of that server."""
    return server.connect()
