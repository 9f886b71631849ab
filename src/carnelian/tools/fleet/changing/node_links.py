"""Connections to all nodes of the cluster that a fleet is, or is a part of."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import FleetState
from carnelian.tools.fleet.wanted.node_directives import password_of
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster, SeenNode, parse_nodes
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError

# Seconds that a node may take to answer what it answers at once.
TIMEOUT = 5.0


class NodeLinks:
    """Clients of nodes: those of the fleet at their ports, others where the cluster says."""

    def __init__(self, state: FleetState):
        self.state = state
        self.password = password_of(state)
        self._clients: dict[tuple[str, int], NodeClient] = {}

    def _client(self, host: str, port: int) -> NodeClient:
        address = (host, port)
        if address not in self._clients:
            self._clients[address] = NodeClient(host, port, self.password, TIMEOUT)
        return self._clients[address]

    def at(self, port: int) -> NodeClient:
        """The client of a node of the fleet."""
        return self._client(self.state.talk_host, port)

    def of(self, node: SeenNode) -> NodeClient:
        """The client of a node, of the fleet or not."""
        return self.at(node.port) if self.is_own(node) else self._client(node.host, node.port)

    def is_own(self, node: SeenNode) -> bool:
        """Whether a node belongs to the fleet."""
        entry = self.state.node(node.port)
        if entry is None:
            return False
        here = {"", self.state.meet_host, self.state.talk_host}
        return node.host in here or entry.id == node.id

    def address(self, node: SeenNode) -> tuple[str, int]:
        """Where other nodes reach a node."""
        return (self.state.meet_host if self.is_own(node) else node.host), node.port

    def observe(self, ports: Collection[int] | None = None) -> SeenCluster:
        """What all nodes say of the cluster, those that are not the fleet's included.

        ``ports`` are those of the fleet's nodes to be asked instead of all. Raises FleetError if
        nobody answers.
        """
        if ports is None:
            ports = [entry.port for entry in self.state.nodes]
        reports, silent = self._ask(self.at(port) for port in ports)
        if not reports:
            raise FleetError(
                f"no node answers on {self.state.talk_host}, ports {', '.join(map(str, ports))}"
            )
        others = {
            node.id: node
            for report in reports
            for node in report
            if node.known and not node.failing and not self.is_own(node)
        }
        more, unreachable = self._ask(self.of(node) for node in others.values())
        return SeenCluster([*reports, *more], [*silent, *unreachable])

    def _ask(self, clients: Iterable[NodeClient]) -> tuple[list[list[SeenNode]], list[int]]:
        reports, silent = [], []
        for client in clients:
            try:
                reports.append(parse_nodes(client.text("CLUSTER", "NODES")))
            except (NodeUnreachableError, RefusedError, ValueError):
                silent.append(client.port)
        return reports, silent

    def close(self) -> None:
        """Leave all nodes."""
        for client in self._clients.values():
            client.close()
