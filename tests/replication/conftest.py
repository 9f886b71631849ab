"""Servers of both kinds for the tests of this directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.peers import ServerProcess

StartServer = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Start carnelian-server with arguments and wait until it is ready."""
    servers: list[ServerProcess] = []

    def begin(*arguments: str) -> ServerProcess:
        directory = tmp_path / f"server-{len(servers)}"
        directory.mkdir()
        options = ("--save", "", "--enable-debug-command", "yes", *arguments)
        servers.append(ServerProcess(directory, *options))
        return servers[-1].wait_until_ready()

    yield begin
    for server in servers:
        server.stop()
