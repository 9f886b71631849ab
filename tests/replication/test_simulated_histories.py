"""Seeded histories of primaries and replicas: whatever goes wrong, after quiet all are equal."""

from __future__ import annotations

import os

import pytest

from carnelian.net.protocol import Wire

from .histories import live
from .simulated_nodes import Family, Server

# So many by default; with 1000 or more it looks at every byte. ``python -m tests.replication
# .histories`` lives more of them.
SEEDS = int(os.environ.get("CARNELIAN_HISTORIES", "40"))
STRIDE = 24 if SEEDS < 1000 else 1


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_history(seed: int) -> None:
    live(seed)


class CutAfter:
    """A conversation whose connection ends after so many bytes have come."""

    def __init__(self, inner: object, count: int):
        self.inner = inner
        self.left = count
        self.wire: Wire | None = None

    def connected(self, wire: Wire) -> None:
        self.wire = wire
        self.inner.connected(wire)  # type: ignore[attr-defined]

    def receive(self, data: bytes) -> None:
        part, self.left = data[: self.left], self.left - len(data)
        if part:
            self.inner.receive(part)  # type: ignore[attr-defined]
        if self.left < 0 and self.wire is not None:
            wire, self.wire = self.wire, None
            wire.close()
            self.inner.lost("cut")  # type: ignore[attr-defined]

    def lost(self, reason: str) -> None:
        if self.wire is not None:
            self.inner.lost(reason)  # type: ignore[attr-defined]


class Cutter:
    """A carrier of connections, the first of which is cut."""

    def __init__(self, server: Server, count: int):
        self._node = server.node
        self._count = count

    def __getattr__(self, name: str) -> object:
        return getattr(self._node, name)

    def connect(self, address: tuple[str, int], conversation: object, timeout: float) -> None:
        if self._count >= 0:
            conversation, self._count = CutAfter(conversation, self._count), -1
        self._node.connect(address, conversation, timeout)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", range(0, 900, 150))
def test_a_link_cut_at_every_byte(first: int) -> None:
    """From the first byte of the primary to the last one of a stream with a transaction."""
    for count in range(first + first // 150, first + 150, STRIDE):
        load = "swapdb" if count % 2 else "flushdb"
        family = Family(count, count=2)
        primary, replica = family.server("n0"), family.server("n1")
        replica.engine.config["repl-diskless-load"] = load
        primary.call("SET", "a", "x" * 60)
        primary.call("RPUSH", "l", 1, 2, 3)
        replica.side.carrier = Cutter(replica, count)  # type: ignore[assignment]
        replica.follow("n0")
        family.network.run(0.5)
        primary.client("MULTI")
        primary.client("INCR", "n")
        primary.client("SET", "b", "y" * 60)
        primary.call("EXEC")
        primary.call("SELECT", 2)
        primary.call("INCR", "n")
        family.network.run(0.5)
        primary.call("INCR", "n")
        family.quiet()
