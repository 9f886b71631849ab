"""A server process under test, and a client that says exactly the bytes that it is given."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.waiting import TIMEOUT, free_port, wait_for
from support.wire import request


class Client:
    """One connection, spoken to in raw bytes."""

    def __init__(self, address: tuple[str, int] | str, receive_buffer: int = 0):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        if isinstance(address, tuple) and ":" in address[0]:
            family = socket.AF_INET6
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self.socket.sendall(data)

    def call(self, *words: object) -> Any:
        """The reply to one command."""
        self.send(request(*words))
        return self.reply()

    def line(self) -> bytes:
        """The next line, without its end; b"" when the connection has ended."""
        return self._file.readline().removesuffix(b"\r\n")

    def reply(self) -> Any:
        """The next reply: errors and statuses with their first byte, nulls as None."""
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind in (b"*", b">", b"~"):
            return [self.reply() for _ in range(int(rest))] if rest != b"-1" else None
        if kind == b"%":
            return [self.reply() for _ in range(2 * int(rest))]
        if kind == b":":
            return int(rest)
        if kind in (b"$", b"="):
            if rest == b"-1":
                return None
            body = self._file.read(int(rest) + 2)
            return body[:-2]
        return line

    def at_end(self) -> bool:
        """Whether the server hangs up, with nothing more to read."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class ServerProcess:
    """A carnelian-server in a directory of its own, on a port of its own.

    Args:
        environment: variables of its own.
        own_group: whether signals can be sent to it and its children together.
    """

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        port: int | None = None,
        environment: dict[str, str] | None = None,
        own_group: bool = False,
    ):
        self.directory = directory
        self.port = free_port() if port is None else port
        self.output = directory / "output"
        # Alike on all machines: tests decide by options what they need.
        command = [sys.executable, "-m", "carnelian", *arguments, "--port", str(self.port)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONFAULTHANDLER": "", **(environment or {})},
                start_new_session=own_group,
            )
        self._clients: list[Client] = []

    @property
    def log(self) -> str:
        """What was written to standard output so far."""
        return self.output.read_text()

    def wait_until_ready(self) -> ServerProcess:
        """Return once connections are accepted; fails with the log when that does not happen."""

        def ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"the server has ended:\n{self.log}")
            return "eady to accept connections" in self.log

        wait_for(ready)
        return self

    def connect(self, address: tuple[str, int] | str | None = None, **options: int) -> Client:
        """A new client, closed with the server."""
        client = Client(address or ("127.0.0.1", self.port), **options)
        self._clients.append(client)
        return client

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process and return its exit status."""
        for client in self._clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
