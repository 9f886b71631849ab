"""Fleets as processes, and clients that write to them and know what was acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.fleet.processes.port_checks import is_taken
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError

# What nodes may be. CARNELIAN_FLEET_PROGRAMS="carnelian-server redis-server" has all tests run for
# both, which takes twice as long.
PROGRAMS = os.environ.get("CARNELIAN_FLEET_PROGRAMS", "carnelian-server").split()

COMMAND = [sys.executable, "-m", "carnelian.tools.fleet.fleet_program"]
HOST = "127.0.0.1"
PATIENCE = 30.0
# Failovers within seconds.
QUICK = ("--cluster-node-timeout", "1000")


def wait_until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("what was waited for did not happen")


def free_ports(count: int) -> int:
    """The first of some ports in a row that nobody has, nor those of their buses."""
    for _ in range(100):
        first = random.randrange(12000, 32000 - count)
        if not any(is_taken([HOST], first + number) for number in range(count)):
            return first
    raise AssertionError("no free ports")


class Fleet:
    """A fleet in a directory, whose supervisor is a child of the test."""

    def __init__(self, directory: Path, program: str, shards: int, replicas: int, *words: str):
        self.directory = directory
        self.first = free_ports(2 * (shards + 2) * (replicas + 1))
        self.shape = [
            *("--shards", str(shards), "--replicas", str(replicas), "--port", str(self.first)),
            *("--server", program),
        ]
        self.words = words
        self.output = directory.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, again: bool = False) -> None:
        """Start it (again), and wait until the cluster works."""
        self.launch(*(() if again else self.shape), *options)
        self.await_ok()

    def launch(self, *options: str) -> None:
        """Start its supervisor."""
        words = ["--dir", str(self.directory), *options]
        if self.words:
            words += ["--", *self.words]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def await_ok(self, seconds: float = PATIENCE) -> None:
        """Wait until all nodes answer and the cluster works for each."""

        def ok() -> bool:
            assert self.process is None or self.process.poll() is None, self.output.read_text()
            return self.run("status").returncode == 0

        wait_until(ok, seconds)

    def run(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command for it."""
        command, *rest = words
        return subprocess.run(
            [*COMMAND, command, "--dir", str(self.directory), *rest],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def do(self, *words: str, timeout: float = 60.0) -> str:
        """Run a command that has to succeed; what it says."""
        done = self.run(*words, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Its state, as programs see it."""
        loaded: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return loaded

    def nodes(self, role: str = "") -> list[dict[str, Any]]:
        """Its nodes of a role, by port."""
        nodes = [node for node in self.status()["nodes"] if role in ("", node["role"])]
        return sorted(nodes, key=lambda node: node["port"])

    def node(self, port: int) -> dict[str, Any]:
        """One node."""
        return next(node for node in self.nodes() if node["port"] == port)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the supervisor; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End all that is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.directory.exists():
            self.run("stop", "--now")

    def client(self, **options: Any) -> redis.RedisCluster:
        """A client of the cluster."""
        return redis.RedisCluster(host=HOST, port=self.first, **options)

    def said(self) -> str:
        """What its supervisor has said."""
        return self.output.read_text()

    def check(self) -> str:
        """What redis-cli thinks of the cluster."""
        node = next(node for node in self.nodes() if node["id"])
        words = ["redis-cli", "--cluster", "check", f"{HOST}:{node['port']}"]
        if "--requirepass" in self.words:
            words += ["--no-auth-warning", "-a", self.words[self.words.index("--requirepass") + 1]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20)
        return done.stdout + done.stderr


class Writer(threading.Thread):
    """Writes numbers that grow to keys of its own, all the time, and remembers the acknowledged.

    It goes where MOVED and ASK send it, and waits for a replica with ``wait``: only then is a write
    acknowledged. Each key is read before it is written; a value that is older than what was
    acknowledged, or newer than what was sent, is a wrong answer.
    """

    def __init__(
        self,
        ports: Sequence[int],
        name: str,
        keys: int = 500,
        wait: bool = False,
        password: str = "",
    ):
        super().__init__(daemon=True)
        self._names = [f"{name}:{number}" for number in range(keys)]
        self._wait = wait
        self._clients: dict[int, NodeClient] = {}
        self._password = password
        self._ports = list(ports)
        self._owners: dict[int, int] = {}
        self._ended = threading.Event()
        self.acknowledged = dict.fromkeys(self._names, 0)
        self.sent = dict.fromkeys(self._names, 0)
        self.wrong: list[str] = []
        self.written = 0

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            for name in self._names:
                if self._ended.is_set():
                    return
                self._write(name, number)

    def _write(self, name: str, number: int) -> None:
        commands: list[tuple[str | int, ...]] = [("GET", name), ("SET", name, number)]
        if self._wait:
            commands.append(("WAIT", 1, 1000))
        self.sent[name] = number
        replies = self._ask(name, commands)
        if replies is None:
            return
        self._judge(name, replies[0], number - 1)
        if replies[1] == b"OK" and (not self._wait or replies[2] >= 1):
            self.acknowledged[name] = number
            self.written += 1

    def _judge(self, name: str, value: Any, most: int) -> None:
        if isinstance(value, Refusal):
            return
        if not self.acknowledged[name] <= int(value or 0) <= most:
            self.wrong.append(f"{name} is {value}, not {self.acknowledged[name]} to {most}")

    def _ask(self, name: str, commands: list[tuple[str | int, ...]]) -> list[Any] | None:
        """The replies of the node that has the key; None if nobody answers."""
        slot = hash_slot(name.encode())
        port = self._owners.get(slot) or random.choice(self._ports)
        asking = False
        for _ in range(8):
            try:
                words = [(("ASKING",), command) for command in commands]
                batch = [word for pair in words for word in pair] if asking else commands
                replies = self._client(port).pipeline(batch)
            except NodeUnreachableError:
                self._owners.pop(slot, None)
                time.sleep(0.02)
                port, asking = random.choice(self._ports), False
                continue
            replies = replies[1::2] if asking else replies
            # The key may have left between the two commands: all of it anew, where it is.
            refusal = next((reply for reply in replies[:2] if isinstance(reply, Refusal)), None)
            if refusal is None:
                return replies
            kind, *rest = refusal.decode().split()
            if kind not in ("MOVED", "ASK"):
                time.sleep(0.02)
                port, asking = random.choice(self._ports), False
                continue
            asking = kind == "ASK"
            port = int(rest[1].rpartition(":")[2])
            if not asking:
                self._owners[slot] = port
        return None

    def _client(self, port: int) -> NodeClient:
        if port not in self._clients:
            self._clients[port] = NodeClient(HOST, port, self._password, 3.0)
        return self._clients[port]

    def end(self) -> None:
        """Stop writing."""
        self._ended.set()
        self.join(PATIENCE)
        assert not self.is_alive()

    def verify(self) -> None:
        """Read all keys: each has what was acknowledged, or what was sent after that."""
        for name in self._names:
            replies = wait_until(partial(self._read, name))
            self._judge(name, replies[0], self.sent[name])
        assert not self.wrong, self.wrong[:5]
        assert self.written

    def _read(self, name: str) -> list[Any] | None:
        replies = self._ask(name, [("GET", name)])
        return None if replies is None or isinstance(replies[0], Refusal) else replies


def kill(pid: int) -> None:
    """End a process as a crash would."""
    os.kill(pid, signal.SIGKILL)
