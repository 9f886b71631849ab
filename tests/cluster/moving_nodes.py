"""Nodes of a cluster as processes, between which slots move."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.waiting import wait_for

OURS = [sys.executable, "-m", "carnelian.tools.serve"]
SLOTS = 16384
# Seconds that something in a cluster may take.
PATIENCE = 30.0

# A tag for each of some slots.
TAGS = {0: "{06S}", 1: "{Qi}", 101: "{1j2}", 6000: "{4L7}"}


def await_that(condition: Any, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (redis.ConnectionError, redis.TimeoutError):
            pass
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def free_node_port() -> int:
    """A port on which nobody listens, nor on that of its bus."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
            if port > 55000:
                continue
            try:
                socket.create_server(("127.0.0.1", port + 10000)).close()
            except OSError:
                continue
            return int(port)


class MovingNode:
    """A node in a directory of its own."""

    def __init__(self, directory: Path, *lines: str):
        directory.mkdir()
        self.directory = directory
        self.port = free_node_port()
        self.file = directory / "conf"
        own = [
            f"port {self.port}", "bind 127.0.0.1", "cluster-enabled yes",
            "cluster-node-timeout 3000", "repl-diskless-sync-delay 0", "save \"\"", *lines, "",
        ]  # fmt: skip
        self.file.write_text("\n".join(own))
        self._client: redis.Redis | None = None
        self.process: subprocess.Popen[bytes]
        self.start()
        self.id = self("CLUSTER", "MYID").decode()

    def start(self) -> None:
        """Start it (again)."""
        self._client = None
        with (self.directory / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*OURS, str(self.file)],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_for(self._answers)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"it has ended:\n{self.output}")
        try:
            return self("PING") in (b"PONG", True)
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return False

    @property
    def output(self) -> str:
        """What it has logged."""
        return (self.directory / "output").read_text(errors="replace")

    def connection(self, **options: Any) -> redis.Redis:
        """A new client, which replies as the server does."""
        # What was sent once is not sent again: it may have been done.
        retry = Retry(NoBackoff(), 0)
        client = redis.Redis(port=self.port, **{"protocol": 2, "retry": retry, **options})
        client.response_callbacks.clear()
        return client

    def __call__(self, *words: object) -> Any:
        """The reply to a command."""
        if self._client is None:
            self._client = self.connection()
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call]

    def kill(self) -> None:
        """End it as by a power cut."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def task(self, id: str | bytes) -> dict[str, Any]:
        """What it shows of a task."""
        found = self("CLUSTER", "MIGRATION", "STATUS", "ID", id)
        if not found:
            return {}
        pairs = zip(found[0][::2], found[0][1::2], strict=True)
        return {
            key.decode(): value if isinstance(value, int) else value.decode()
            for key, value in pairs
        }

    def state(self, id: str | bytes) -> str:
        """How far a task is."""
        return str(self.task(id).get("state", ""))

    def info(self) -> dict[str, str]:
        """CLUSTER INFO."""
        lines = self("CLUSTER", "INFO").decode().split()
        return dict(line.split(":", 1) for line in lines)


# Starts a node, with these lines in its file.
Start = Callable[..., MovingNode]


def join(*nodes: MovingNode) -> None:
    """Make a cluster of primaries, which share the slots evenly."""
    first = nodes[0]
    for number, node in enumerate(nodes):
        begin, end = (SLOTS * at // len(nodes) for at in (number, number + 1))
        node("CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
        node("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node in nodes[1:]:
        node("CLUSTER", "MEET", "127.0.0.1", first.port)
    await_ok(*nodes)


def await_ok(*nodes: MovingNode) -> None:
    """Wait until all is well."""
    for node in nodes:
        await_that(
            lambda node=node: (
                node.info()["cluster_state"] == "ok"
                and node.info()["cluster_known_nodes"] >= str(len(nodes))
            ),
            f"node {node.port} is well:\n{node.output[-3000:]}",
        )


def move(source: MovingNode, dest: MovingNode, *slots: int) -> str:
    """Move ranges of slots, and wait for the end; returns the ID of the task."""
    id = dest("CLUSTER", "MIGRATION", "IMPORT", *slots).decode()
    await_moved(source, dest, id)
    return str(id)


def await_completed(dest: MovingNode, id: str) -> None:
    """Wait for the end of an import."""
    await_that(lambda: dest.state(id) == "completed", f"{dest.task(id)}\n{dest.output[-3000:]}")


def await_moved(source: MovingNode, dest: MovingNode, id: str) -> None:
    """Wait for the end of a task, and that its keys have gone from where they were."""
    await_that(
        lambda: dest.state(id) == "completed" and source.state(id) == "completed",
        f"{dest.task(id)} {source.task(id)}\n{dest.output[-2000:]}\n{source.output[-2000:]}",
    )
    for node in (source, dest):
        await_that(
            lambda node=node: node.info()["cluster_slot_migration_active_trim_running"] == "0",
            "keys have gone",
        )
