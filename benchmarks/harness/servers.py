"""Starts and stops the servers that a benchmark compares, on free loopback ports."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness import encryption
from harness.client import Client, ReplyError

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = "carnelian"
PEER = "redis"
START_SECONDS = 20
LOAD_SECONDS = 300


class NotStarting(Exception):
    """A server did not come up; the message has its output."""


class Server:
    """A server process of our own without save points, in a temporary folder.

    ``files`` are linked into the folder first, by their names there. With a folder of a
    ``certificate`` it listens with TLS, too, at ``tls_port``.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        *options: str,
        cpu: int | None = None,
        files: Mapping[str, Path] | None = None,
        certificate: Path | None = None,
    ):
        self.name = name
        self.port = free_port()
        self.tls_port = 0
        if certificate is not None:
            self.tls_port = free_port()
            options = (*options, *encryption.server_options(certificate, self.tls_port))
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = Path(self._folder.name)
        self._log = self.folder / "log"
        for place, path in (files or {}).items():
            (self.folder / place).parent.mkdir(exist_ok=True)
            (self.folder / place).symlink_to(path.resolve())
        arguments = [*command, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        environment = dict(os.environ)
        paths = [str(REPOSITORY / "src"), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        began = time.perf_counter()
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [*arguments, *options],
                cwd=self._folder.name,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=pinned_to(cpu),
            )
        self.pid = self.process.pid
        self._wait_until_ready()
        self.seconds_to_ready = time.perf_counter() - began

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        deadline = began + START_SECONDS
        pause = 0.001
        while True:
            try:
                with Client(self.port) as client:
                    client("PING")
                return
            except ReplyError:
                # It loads its files. Asking for more often would cost it time.
                pause, deadline = 0.02, began + LOAD_SECONDS
                if time.monotonic() > deadline:
                    self.stop()
                    raise NotStarting(f"{self.name} still loads after {LOAD_SECONDS} s") from None
                time.sleep(pause)
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    text = self.output()
                    self.stop()
                    raise NotStarting(f"{self.name} does not start:\n{text}") from None
                time.sleep(pause)

    @property
    def pids(self) -> list[int]:
        """The processes whose CPU time is that of requests."""
        return [self.pid]

    def client(self) -> Client:
        return Client(self.port)

    def knows(self, command: str) -> bool:
        """Whether it has a command of that name."""
        with self.client() as client:
            return client("COMMAND", "INFO", command)[0] is not None

    def output(self) -> str:
        """What the server logged so far."""
        return self._log.read_text(errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def pinned_to(cpu: int | None) -> Callable[[], None] | None:
    """What a child process runs first to stay on one CPU, or None."""
    if cpu is None:
        return None
    return lambda: os.sched_setaffinity(0, {cpu})


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Options that name the two servers to compare."""
    parser.add_argument("--ours", help="command line of our server (default: this source tree's)")
    parser.add_argument("--peer", default="redis-server", help="the other one (redis-server)")


def own_command(options: argparse.Namespace) -> list[str]:
    if options.ours:
        return resolved(options.ours)
    return [sys.executable, "-m", "carnelian"]


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """The command lines of both servers by name; exits with advice where the peer is missing."""
    return {OURS: own_command(options), PEER: resolved(options.peer)}


def resolved(text: str) -> list[str]:
    command = shlex.split(text)
    if shutil.which(command[0]) is None:
        sys.exit(f"{command[0]} is not installed (Debian: apt-get install redis-server)")
    return command


def version(server: Server) -> str:
    """Name and version of a running server, as INFO gives them."""
    with server.client() as client:
        fields = client.info("server")
    own = fields.get("carnelian_version")
    return f"carnelian {own}" if own else f"redis {fields.get('redis_version', '?')}"
