"""Servers with a console."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from server.peers import Client, ServerProcess
from support.waiting import free_port

from .browsing import Browser


class Console(NamedTuple):
    """A server, and the port of its console."""

    server: ServerProcess
    port: int

    def browser(self) -> Browser:
        """A browser that nobody has logged in with."""
        return Browser(self.port)

    def entered(self) -> Browser:
        """A browser of the default user, who needs no password."""
        browser = self.browser()
        assert browser.log_in().status == 200
        return browser

    def client(self) -> Client:
        return self.server.connect()


StartConsole = Callable[..., Console]


def _answers(port: int) -> bool:
    try:
        return Browser(port).get("/health").status == 200
    except OSError:
        return False


def begin_console(directory: Path, *arguments: str) -> Console:
    """Start a server with a console in a directory; both answer."""
    port = free_port()
    options = ("--save", "", "--console-port", str(port), *arguments)
    server = ServerProcess(directory, *options)
    try:
        server.wait_until_ready()
        # It loads while the server is busy with other things; a busy machine takes a while.
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
    except BaseException:
        server.stop()
        raise
    return Console(server, port)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartConsole]:
    """Start a server with a console and wait until both answer."""
    begun: list[Console] = []

    def begin(*arguments: str) -> Console:
        directory = tmp_path / f"server-{len(begun)}"
        directory.mkdir()
        begun.append(begin_console(directory, *arguments))
        return begun[-1]

    yield begin
    for console in begun:
        console.server.stop()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One server with a console for the tests of a module, whose default user is open to all."""
    begun = begin_console(tmp_path_factory.mktemp("console"), "--enable-debug-command", "yes")
    yield begun
    begun.server.stop()


@pytest.fixture
def browser(console: Console) -> Iterator[Browser]:
    """A browser that is logged in to an empty server."""
    client = console.client()
    client.call("FLUSHALL")
    entered = console.entered()
    yield entered
    entered.post("/api/logout")
    client.close()
