"""Runs of carnelian-cli and of redis-cli, and a server that answers what it is told."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from typing import BinaryIO, NamedTuple

import pytest

OURS = (sys.executable, "-m", "carnelian.tools.cli.cli_program")
THEIRS = ("redis-cli",)

TIMEOUT = 60.0


class Outcome(NamedTuple):
    """What a program has left behind."""

    status: int
    out: bytes
    err: bytes


def run(
    program: tuple[str, ...], *words: str | bytes, stdin: bytes = b"", **environment: str
) -> Outcome:
    """Run a program to its end."""
    done = subprocess.run(
        [*program, *words],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def require_prompt_toolkit() -> None:
    """Skip the test without it, saying what to install; fail it in CI."""
    if importlib.util.find_spec("prompt_toolkit") is not None:
        return
    message = "this test needs prompt_toolkit (pip install 'carnelian[cli]')"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class Echo:
    """A server of which the last word of a command is the reply, byte for byte.

    ``says`` are replies by the first word instead. ``heard`` has the commands.
    """

    def __init__(self, **says: bytes):
        self.says = {name.encode(): reply for name, reply in says.items()}
        self.heard: list[list[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream:
            try:
                while (words := _request(stream)) is not None:
                    self.heard.append(words)
                    client.sendall(self._reply(words))
            except OSError:
                pass

    def _reply(self, words: list[bytes]) -> bytes:
        name = words[0].lower()
        if name in self.says:
            return self.says[name]
        if name == b"hello":
            return b"%1\r\n$5\r\nproto\r\n:3\r\n"
        if name == b"command":
            return b"-ERR unknown\r\n"
        return words[-1].decode("unicode_escape").encode("latin-1")

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()


def _request(stream: BinaryIO) -> list[bytes] | None:
    line = stream.readline()
    if not line:
        return None
    words = []
    for _ in range(int(line[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length))
        stream.read(2)
    return words


def escaped(reply: bytes) -> str:
    """A reply as a word that :class:`Echo` sends back."""
    return reply.decode("latin-1").encode("unicode_escape").decode()
