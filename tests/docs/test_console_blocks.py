"""Each block of console input in the documents shows what really comes out."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.blocks import Block, blocks, write_files
from support.compiled import SOURCES
from support.servers import require
from support.waiting import free_port, wait_for

# The programs of the blocks, with the options that keep them to a port and a form of output.
CLIENT = 'exec {redis_cli} --no-raw -p {port} "$@"'
SERVER = 'exec {python} -m carnelian --port {port} --save "" "$@"'


class Console:
    """A shell in a directory of its own, where the programs talk on a port of its own.

    The directories that pages name are taken for the one it is in.
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self.port = free_port()
        self._servers: list[subprocess.Popen[bytes]] = []
        programs = directory / "bin"
        programs.mkdir()
        for name, text in (("redis-cli", CLIENT), ("carnelian-server", SERVER)):
            words = {
                "redis_cli": shutil.which("redis-cli"),
                "python": sys.executable,
                "port": self.port,
            }
            (programs / name).write_text(f"#!/bin/sh\n{text.format(**words)}\n")
            (programs / name).chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, "PYTHONPATH": str(directory / "src")}

    def run(self, command: str) -> str:
        """What a command prints; a server (``... &``) is waited for."""
        for place in ("/run/app", "/var/lib/app"):
            command = command.replace(place, str(self.directory))
        if command.endswith(" &"):
            self._start(command.removesuffix(" &"))
            return ""
        return subprocess.run(
            command,
            shell=True,
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
        ).stdout

    def _start(self, command: str) -> None:
        words = shlex.split(command)
        log = self.directory / "log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                words, cwd=self.directory, env=self._environment, stdout=output, stderr=output
            )
        self._servers.append(server)

        def ready() -> bool:
            assert server.poll() is None, log.read_text()
            if "--unixsocket" in words:
                return os.path.exists(words[words.index("--unixsocket") + 1])
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for(ready)

    def close(self) -> None:
        """End the servers that were started."""
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console, whose servers end with the test."""
    require("redis-cli", "redis-tools")
    console = Console(tmp_path)
    yield console
    console.close()


def conversation(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what is shown below it."""
    head, *rest = ("\n" + text).split("\n$ ")
    assert not head.strip(), "begins with no command"
    return [(part.partition("\n")[0], part.partition("\n")[2].rstrip("\n")) for part in rest]


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_it_says_so(block: Block, console: Console) -> None:
    if "@command(" in block.page.read_text():  # Commands of the house, in a copy of it.
        shutil.copytree(SOURCES, console.directory / "src", copy_function=os.symlink)
        commands = console.directory / "src" / "carnelian" / "commands"
        write_files(block.page, commands)
        (commands / "test_prepending.py").unlink()
    else:
        write_files(block.page, console.directory)
    for command, shown in conversation(block.text):
        assert console.run(command).rstrip("\n") == shown, command


def test_there_are_blocks() -> None:
    assert len(blocks("console")) >= 5
