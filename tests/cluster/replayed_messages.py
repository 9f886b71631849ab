"""Messages of the bus that arrive once more, late and on another connection."""

from __future__ import annotations

from collections import deque
from random import Random

from carnelian.net.protocol import Wire

from .simulated_cluster import BUS_PORT, SimulatedCluster

# How many of the last messages of all nodes may come again.
KEPT = 300


class Replays:
    """Remembers what was sent."""

    def __init__(self, cluster: SimulatedCluster):
        self._cluster = cluster
        self._kept: deque[tuple[str, str, bytes]] = deque(maxlen=KEPT)
        cluster.on_message = self._keep

    def _keep(self, source: str, target: str, data: bytes) -> None:
        self._kept.append((source, target, data))

    def replay(self, random: Random) -> None:
        """Send some message again."""
        if not self._kept:
            return
        source, target, data = random.choice(self._kept)
        node = self._cluster.network.nodes[source]
        if node.is_up:
            node.connect((target, BUS_PORT), _Repeat(data))


class _Repeat:
    """A connection on which one message is sent."""

    def __init__(self, data: bytes):
        self._data = data

    def connected(self, wire: Wire) -> None:
        wire.send(self._data)

    def receive(self, data: bytes) -> None:
        """An answer is for nobody."""

    def lost(self, reason: str) -> None:
        """It has been tried."""
