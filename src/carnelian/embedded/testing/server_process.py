"""A carnelian-server of its own process, for tests that need one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_HOST = "127.0.0.1"
# Seconds that a server has to start, and to stop.
_PATIENCE = 30.0
# Somebody else may take a port between the choice of it and the start.
_ATTEMPTS = 5


class ServerProcess:
    """A server that listens on a free port of this machine, from now on until :meth:`stop`.

    Args:
        directory: where its files and its log are.
        directives: as on the command line of carnelian-server: ``"--appendonly", "yes"``.

    Raises:
        RuntimeError: it does not start; the message has the end of its log.
    """

    def __init__(self, directory: str | os.PathLike[str], *directives: str):
        self.host = _HOST
        self.directory = Path(directory)
        self._log = self.directory / "server.log"
        for _ in range(_ATTEMPTS):
            self.port = free_port()
            self._process = self._start(directives)
            if self._answers():
                return
            self.stop()
        raise RuntimeError(f"carnelian-server does not start:\n{self.log()[-2000:]}")

    def _start(self, directives: tuple[str, ...]) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "carnelian", "--port", str(self.port), "--bind", _HOST]
        words += ["--dir", str(self.directory), "--save", "", *directives]
        with self._log.open("ab") as output:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=True
            )

    def _answers(self) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._says_pong():
                return True
            time.sleep(0.02)
        return False

    def _says_pong(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), 1.0) as probe:
                probe.settimeout(5.0)
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"redis://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait(_PATIENCE)

    def stop(self) -> None:
        """End it in order; does nothing if it has ended."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.create_server((_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
