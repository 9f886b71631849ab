"""Sentinels and servers as processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import redis

from support.waiting import TIMEOUT, free_port, wait_for

NAME = "mymaster"
# Seconds that a reply may take, on a machine that has much else to do.
_PATIENCE = 300
OURS = [sys.executable, "-m", "carnelian.tools.serve_sentinel"]
THEIRS = ["redis-sentinel"]


class Process:
    """A server in a directory of its own, on a port of its own."""

    def __init__(
        self, directory: Path, command: list[str], lines: list[str], after: list[str] | None = None
    ):
        directory.mkdir()
        self.directory = directory
        self.port = free_port()
        self.command = command
        self.after = after or []
        self.file = directory / "conf"
        self.file.write_text("\n".join([f"port {self.port}", "bind 127.0.0.1", *lines, ""]))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self._client: redis.Redis | None = None
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [*self.command, str(self.file), *self.after],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"it has ended:\n{self.output}")
        try:
            return self("PING") in (b"PONG", True)
        except redis.ConnectionError:
            return False

    @property
    def output(self) -> str:
        """What it has logged."""
        return (self.directory / "output").read_text()

    def __call__(self, *words: object) -> Any:
        """The reply to a command, as it came."""
        if self._client is None:
            self._client = redis.Redis(port=self.port, protocol=2, socket_timeout=_PATIENCE)
            self._client.response_callbacks.clear()
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its status."""
        assert self._process is not None
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
        try:
            return self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def table(reply: list[bytes]) -> dict[str, str]:
    """A flat reply of names and values."""
    words = [word.decode() for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))
