"""A node of a cluster without a network: its engine, its service, and others that it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from carnelian.cluster.known import node_flags
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.serving.cluster_service import ClusterService
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.net.loop import Loop
from carnelian.net.transport import Transport
from carnelian.scripting.scripting_core import scripting_of
from support.local import LocalClient

SLOTS = 16384
# A key and its slot, and another one of the same slot.
KEY, SLOT, ALIKE = "foo", 12182, "{foo}2"
# A key of another slot.
OTHER, OTHER_SLOT = "bar", 5061


class LocalNode:
    """A primary with all slots, and a node next to it that has none.

    Args:
        directory: where its file is.
        directives: of its configuration.
    """

    def __init__(self, directory: Path, **directives: str):
        self.clock = ManualClock()
        config = Config(str(directory))
        text = {"cluster-enabled": "yes", "cluster-config-file": str(directory / "nodes.conf")}
        text.update({name.replace("_", "-"): value for name, value in directives.items()})
        config.load_text("\n".join(f"{name} {value}" for name, value in text.items()))
        self.log: list[str] = []
        self.engine = Engine(config, self.clock)
        self.engine.log = lambda level, line: self.log.append(line)
        scripting_of(self.engine)
        self.loop = Loop()
        self.service = ClusterService(self.engine, self.loop, accept=Transport, connect=Transport)
        self.view = self.service.view
        self.myself = self.view.myself
        self.myself.ip, self.myself.tcp_port, self.myself.bus_port = "127.0.0.1", 6379, 16379
        self.service.around.loaded = True
        self.view.give(range(SLOTS), self.myself)
        self.other = self.add(7000)
        self.view.is_ok = True
        self.service.refresh()

    def add(self, port: int, flags: int = node_flags.PRIMARY) -> ClusterNode:
        """Another node at a port."""
        node = self.view.create(f"{port:040d}", flags)
        node.ip, node.tcp_port, node.bus_port = "10.0.0.1", port, port + 10000
        return node

    def client(self, protocol: int = 2) -> LocalClient:
        """A client of this node."""
        return LocalClient(self.engine, protocol)

    def move(self, slot: int, node: ClusterNode | None) -> None:
        """A slot has another owner."""
        self.view.give([slot], node)
        self.service.refresh()

    def follow(self, node: ClusterNode) -> None:
        """Be a replica of a node, which gets all slots."""
        self.view.give(range(SLOTS), node)
        self.view.make_replica(self.myself, node)
        self.service.refresh()

    def close(self) -> None:
        """Let go of the file."""
        self.service.stop()


def fields(reply: Any) -> dict[bytes, Any]:
    """A flat list of names and values."""
    return dict(zip(reply[::2], reply[1::2], strict=True))
