"""What is done about nodes that have ended: their failovers are awaited, and they start again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from carnelian.tools.fleet.planning.restart_rules import (
    STEADY_SECONDS,
    Circumstances,
    Step,
    delay,
    next_step,
)
from carnelian.tools.fleet.processes.node_process import NodeBusyError, NodeProcess
from carnelian.tools.fleet.screen.fleet_table import FleetView
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError
from carnelian.tools.fleet.wire.node_samples import Sample


@dataclass
class Loss:
    """A node that has ended: its ID, and the ports of replicas that were up to date then."""

    id: str
    heirs: frozenset[int]


@dataclass
class Recovery:
    """Brings back nodes that have ended.

    ``tell`` takes lines for people, ``clients`` are those of all nodes, ``node_timeout`` is in
    seconds.
    """

    clients: Mapping[int, NodeClient]
    node_timeout: float
    tell: Callable[[str], None]
    losses: dict[int, Loss] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)

    def note_end(self, process: NodeProcess, views: list[FleetView]) -> None:
        """A node has ended, ``views`` being the last ones before, the newest first."""
        port = process.port
        if process.ended - process.started > STEADY_SECONDS:
            self.failures[port] = 0
        else:
            self.failures[port] = self.failures.get(port, -1) + 1
        node = next((found for view in views if (found := view.node(port))), None)
        id = node.id if node is not None else ""
        self.losses[port] = Loss(id, frozenset(_heirs(id, views)))
        self.tell(f"{port} has ended: {process.how_ended}")
        if self.failures[port] and (last := process.log_tail(1)):
            self.tell(f"{port} says: {last[0]}")

    def act(self, process: NodeProcess, view: FleetView, running: set[int]) -> str:
        """Do what is to be done about a node that has ended; returns how it is, for the table.

        ``running`` are the ports of the nodes that run. Raises FleetError if it cannot be started.
        """
        port = process.port
        loss = self.losses.setdefault(port, Loss("", frozenset()))
        down = time.monotonic() - process.ended
        failures = self.failures.get(port, 0)
        owns, electable = _standing(loss.id, view, running)
        case = Circumstances(
            down=down,
            failures=failures,
            owns_slots=owns,
            heir=bool(loss.heirs & running),
            electable=electable,
            node_timeout=self.node_timeout,
        )
        step = next_step(case)
        if step is Step.START:
            return self._start(process)
        if step is Step.TAKE_OVER:
            self._take_over(port, loss.heirs & running, view.samples)
            loss.heirs = frozenset()
        if owns and case.heir:
            return "down, failing over"
        return f"down, starts in {max(0.0, delay(failures) - down):.0f} s"

    def _start(self, process: NodeProcess) -> str:
        try:
            process.start()
        except NodeBusyError:
            return "down, its child still runs"
        self.losses.pop(process.port, None)
        self.tell(f"{process.port} is started again")
        return "starting"

    def _take_over(self, port: int, heirs: frozenset[int], samples: Mapping[int, Sample]) -> None:
        """Have the replica that has got most take over without an election."""
        answering = [heir for heir in heirs if heir in samples]
        heir = max(answering or heirs, key=lambda p: samples[p].offset if p in samples else -1)
        try:
            self.clients[heir].call("CLUSTER", "FAILOVER", "TAKEOVER")
            self.tell(f"{heir} takes over from {port}: too few primaries are left for an election")
        except (NodeUnreachableError, RefusedError) as error:
            self.tell(f"{heir} cannot take over from {port}: {error}")


def _heirs(id: str, views: list[FleetView]) -> set[int]:
    """Replicas of a node that had its data in one of the last views."""
    return {
        port
        for view in views
        for port, sample in view.samples.items()
        if sample.link_up and sample.myself is not None and sample.myself.primary_id == id
    }


def _standing(id: str, view: FleetView, running: set[int]) -> tuple[bool, bool]:
    """Whether a node owns slots for those that are left, and whether these can elect anybody."""
    witness = view.witness()
    if witness is None:
        return False, False
    voters = [node for node in witness.nodes if node.is_primary and node.slots]
    elsewhere = {node.id for node in view.elsewhere()}
    alive = [
        node
        for node in voters
        if (node.port in running if node.id not in elsewhere else not node.failing)
    ]
    owns = any(node.id == id for node in voters)
    return owns, len(alive) >= len(voters) // 2 + 1
