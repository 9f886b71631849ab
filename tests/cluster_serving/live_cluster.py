"""Clusters of processes: ours and redis-server, by ``redis-cli --cluster``."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

TIMEOUT = 60.0
NODE_TIMEOUT = 1500


def free_ports() -> int:
    """A port that nobody listens on, nor on the one for its bus, nor will anybody connect from."""
    while True:
        port = random.randrange(12000, 22000)
        try:
            for each in (port, port + 10000):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port


class LiveNode:
    """A node in a directory of its own.

    Args:
        ours: whether it is a carnelian-server.
    """

    def __init__(self, directory: Path, ours: bool, *arguments: str):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.ours = ours
        self.port = free_ports()
        program = [sys.executable, "-m", "carnelian"] if ours else ["redis-server"]
        self._command = [
            *program,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
            *("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT)),
            *("--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"),
            *arguments,
        ]
        self.process = self.start()

    def start(self) -> subprocess.Popen:
        """Start it, or start it again."""
        with (self.directory / "output").open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.client = redis.Redis(port=self.port, decode_responses=True, socket_timeout=TIMEOUT)
        self.client.response_callbacks.clear()  # replies are shown as they are
        wait_for(self.answers, f"{self.port} answers")
        return self.process

    def answers(self) -> bool:
        """Whether it takes commands."""
        assert self.process.poll() is None, self.log
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.directory / "output").read_text(errors="replace")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __call__(self, *words: object) -> Any:
        """The reply to a command; an error is returned."""
        try:
            return self.client.execute_command(*words)
        except redis.ResponseError as error:
            return error

    @property
    def id(self) -> str:
        return self("CLUSTER", "MYID")

    def facts(self) -> dict[str, str]:
        """The fields of CLUSTER INFO."""
        text = self.client.execute_command("CLUSTER", "INFO")
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def replication(self) -> dict[str, str]:
        """The fields of INFO about replication."""
        text = self.client.execute_command("INFO", "replication")
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def is_ok(self) -> bool:
        """Whether it serves commands."""
        try:
            return self.facts()["cluster_state"] == "ok"
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """End it as a failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT)

    def stop(self) -> None:
        """End it for good."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LiveCluster:
    """Some nodes that know each other."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.nodes: list[LiveNode] = []

    def add(self, ours: bool, *arguments: str) -> LiveNode:
        """Start a node, which knows nobody yet."""
        directory = self.directory / f"node-{len(self.nodes)}"
        self.nodes.append(LiveNode(directory, ours, *arguments))
        return self.nodes[-1]

    def create(self, nodes: list[LiveNode] | None = None) -> None:
        """Make nodes a cluster of primaries, all of them by default."""
        self.cli("create", *[node.address for node in nodes or self.nodes])
        wait_for(lambda: all(node.is_ok() for node in nodes or self.nodes), "all serve commands")

    def cli(self, *words: str, fine: bool = True) -> str:
        """The output of ``redis-cli --cluster``, which is to succeed if ``fine``."""
        program = shutil.which("redis-cli")
        assert program is not None
        done = subprocess.run(
            [program, "--cluster", *words, "--cluster-yes"],
            capture_output=True,
            text=True,
            input="yes\n",  # there are questions that --cluster-yes does not answer
            timeout=4 * TIMEOUT,
            check=False,
        )
        text = done.stdout + done.stderr
        assert (done.returncode == 0) == fine, text
        return text

    def wait_until_ok(self) -> None:
        """Return once all that run serve commands and agree about slots and primaries."""
        running = [node for node in self.nodes if node.process.poll() is None]
        wait_for(lambda: all(node.is_ok() for node in running), "all serve commands")
        wait_for(lambda: len({owners(node) for node in running}) == 1, "all agree")

    def stop(self) -> None:
        """End all."""
        for node in self.nodes:
            node.stop()


def owners(node: LiveNode) -> tuple:
    """Ranges of slots with the IDs of their owners, as a node sees them."""
    return tuple(sorted((row[0], row[1], row[2][2]) for row in node("CLUSTER", "SLOTS")))


def wait_for(condition: Callable[[], object], what: str, timeout: float = TIMEOUT) -> None:
    """Return once it holds; fails after so many seconds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"in vain until {what}"
        time.sleep(0.05)
