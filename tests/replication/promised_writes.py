"""Primaries that are killed under load: what WAIT has confirmed is where their replicas lead."""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from .mixed_nodes import OURS, THEIRS, Node, wait_until

_WRITERS = 4
_WAIT_MS = 1000


class Loss(AssertionError):
    """Something that was confirmed is missing."""


@dataclass
class Figures:
    """What the rounds came to."""

    rounds: int = 0
    sent: int = 0
    confirmed: int = 0
    began: float = field(default_factory=time.monotonic)
    kinds: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.rounds} rounds ({kinds}) in {time.monotonic() - self.began:.0f} s: "
            f"{self.sent} writes sent, {self.confirmed} confirmed, none of those missing"
        )


class Writer:
    """A client that writes a new key each time, and waits until one replica has it.

    ``confirmed`` are the numbers of those that one has.
    """

    def __init__(self, node: Node, name: str):
        self.name = name
        self.sent = 0
        self.confirmed: list[int] = []
        self._connection = node.connect()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        connection = self._connection
        try:
            while True:
                key = self.key(self.sent)
                pair = [("SET", key, self.sent), ("WAIT", 1, _WAIT_MS)]
                connection.send_packed_command(connection.pack_commands(pair))
                number, self.sent = self.sent, self.sent + 1
                connection.read_response()
                if int(connection.read_response()) >= 1:
                    self.confirmed.append(number)
        except (redis.ConnectionError, OSError):
            pass  # it was killed

    def key(self, number: int) -> str:
        """The key of a write."""
        return f"{self.name}:{number}"

    def join(self) -> None:
        """Wait for the end, which comes with that of the server."""
        self._thread.join()
        self._connection.disconnect()


class Rounds:
    """Rounds, in each of which a primary is killed and its replica takes its place."""

    def __init__(self, directory: Path, seed: int):
        self.figures = Figures()
        self._random = random.Random(seed)
        self._directory = directory
        self._count = 0
        directory.mkdir(parents=True)
        self._primary = self._start(OURS)
        self._replica = self._start(OURS)
        self._replica.follow(self._primary.port)

    def _start(self, kind: str) -> Node:
        self._count += 1
        return Node(self._directory / f"node-{self._count}", kind, appendonly="no")

    def run(self) -> None:
        """One round. Raises Loss."""
        chance, primary, replica = self._random, self._primary, self._replica
        wait_until("a link", lambda: replica.connected)
        pair = f"{primary.kind} -> {replica.kind}"
        self.figures.kinds[pair] = self.figures.kinds.get(pair, 0) + 1
        writers = [Writer(primary, f"w{number}") for number in range(_WRITERS)]
        noise = Writer(primary, "noise " + "x" * 5000)
        time.sleep(chance.uniform(0.02, 0.4))
        primary.stop(signal.SIGKILL)
        for writer in (*writers, noise):
            writer.join()
        replica("REPLICAOF", "NO", "ONE")
        self._check(replica, [*writers, noise])
        self._primary = replica
        replica("FLUSHALL")
        self._replica = self._start(chance.choice((OURS, OURS, THEIRS)))
        self._replica.follow(replica.port)
        self.figures.rounds += 1

    def _check(self, node: Node, writers: list[Writer]) -> None:
        connection = node.connect()
        for writer in writers:
            self.figures.sent += writer.sent
            self.figures.confirmed += len(writer.confirmed)
            asked = [("GET", writer.key(number)) for number in writer.confirmed]
            connection.send_packed_command(connection.pack_commands(asked))
            for number in writer.confirmed:
                value = connection.read_response()
                if value != b"%d" % number:
                    raise Loss(f"{node.kind} has {value!r} for {writer.key(number)[:40]}")
        connection.disconnect()

    def close(self) -> None:
        """End what still runs."""
        for node in (self._replica, self._primary):
            node.stop()
