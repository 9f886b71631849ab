"""Nodes elsewhere that wait longer than the fleet's before they take another for dead."""

from __future__ import annotations

from collections.abc import Iterator

from carnelian.tools.fleet.screen.fleet_table import FleetView
from carnelian.tools.fleet.wanted.fleet_state import FleetState
from carnelian.tools.fleet.wanted.node_directives import node_timeout, password_of
from carnelian.tools.fleet.wire.cluster_seen import SeenNode
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError

_NAME = "cluster-node-timeout"
# Seconds for a node elsewhere, which may be out of reach for us.
_PATIENCE = 0.5


class TimeoutWatch:
    """Asks each node elsewhere once for its ``cluster-node-timeout``, which failovers wait for."""

    def __init__(self, state: FleetState):
        self._password = password_of(state)
        self._wanted = round(node_timeout(state) * 1000)
        self._asked: set[str] = set()

    def look(self, view: FleetView, most: int = 1) -> Iterator[str]:
        """What to tell of nodes that were not asked before, of so many at once at most."""
        new = [n for n in view.elsewhere() if n.id not in self._asked and n.linked and n.host]
        for node in new[:most]:
            self._asked.add(node.id)
            found = self._ask(node)
            if found is not None and found != self._wanted:
                yield (
                    f"{node.host}:{node.port} has {_NAME} {found}, the nodes of the fleet "
                    f"{self._wanted}: failovers wait for those that wait longest, so give all "
                    "the same"
                )

    def _ask(self, node: SeenNode) -> int | None:
        client = NodeClient(node.host, node.port, self._password, _PATIENCE)
        try:
            reply = client.call("CONFIG", "GET", _NAME)
            return int(reply[1])
        except (NodeUnreachableError, RefusedError, ValueError, TypeError, IndexError):
            return None  # It does not let us know, which is its right.
        finally:
            client.close()
