"""Moving slots as a whole: the nodes do it among themselves (CLUSTER MIGRATION)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.fleet.changing.node_links import NodeLinks
from carnelian.tools.fleet.changing.slot_mover import KeyMover, MoveFailedError
from carnelian.tools.fleet.planning.slot_plans import Transfer
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError, StopRequests
from carnelian.tools.fleet.screen.move_progress import MoveProgress
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster, SeenNode
from carnelian.tools.fleet.wire.node_client import RefusedError

# Slots that move at a time: between two of these a request to stop is heeded.
_BATCH = 512
# Seconds between two looks at a task.
_PERIOD = 0.05
# Attempts of a node, which it makes by itself, before it is given up.
_MOST_RETRIES = 5
_UNSTABLE = "must be STABLE"


class WholeMover:
    """Moves ranges of slots by CLUSTER MIGRATION where both nodes are Carnelian's, whose way of
    moving slots no others know. Slots that are half moved are moved key by key.
    """

    def __init__(self, links: NodeLinks, progress: MoveProgress, stop: StopRequests):
        self._links = links
        self._progress = progress
        self._stop = stop
        self._by_key = KeyMover(links, progress, stop)
        # By the ID of a node, whether it knows how to.
        self._capable: dict[str, bool] = {}

    def move(self, transfer: Transfer, cluster: SeenCluster) -> None:
        """Move slots, some at a time; a request to stop is heeded between these, a second one at
        once. Raises as a :class:`~.slot_mover.Mover` does.
        """
        source, destination = cluster.nodes[transfer.source], cluster.nodes[transfer.destination]
        if not (self._is_capable(source) and self._is_capable(destination)):
            self._by_key.move(transfer, cluster)
            return
        self._progress.begin(f"{source.port} -> {destination.port}")
        waiting = transfer.slots
        while waiting:
            self._stop.check()
            slots, waiting = waiting[:_BATCH], waiting[_BATCH:]
            keys = self._count(source, slots)
            if self._move_as_a_whole(destination, slots):
                self._progress.add(slots=len(slots), keys=keys)
            else:
                self._by_key.move(transfer._replace(slots=slots), cluster)

    def _is_capable(self, node: SeenNode) -> bool:
        if node.id not in self._capable:
            self._capable[node.id] = self._find_out(node)
        return self._capable[node.id]

    def _find_out(self, node: SeenNode) -> bool:
        commands = [("INFO", "server"), ("CLUSTER", "MIGRATION", "STATUS", "ALL")]
        server, status = self._links.of(node).pipeline(commands)
        if isinstance(server, Refusal) or isinstance(status, Refusal):
            return False
        return b"carnelian_version:" in server

    def _count(self, node: SeenNode, slots: Sequence[int]) -> int:
        """About how many keys slots have."""
        commands = [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots]
        replies = self._links.of(node).pipeline(commands)
        return sum(reply for reply in replies if isinstance(reply, int))

    def _move_as_a_whole(self, node: SeenNode, slots: Sequence[int]) -> bool:
        """Have a node import slots; False if some are half moved. Raises MoveFailedError."""
        client = self._links.of(node)
        try:
            id = client.text("CLUSTER", "MIGRATION", "IMPORT", *_ends(slots))
        except RefusedError as error:
            if _UNSTABLE in str(error):
                return False
            raise MoveFailedError(f"{node.port}: {error}") from None
        while True:
            state, trouble, retries = self._look(node, id)
            if state == b"completed":
                return True
            if self._stop.count > 1:
                self._cancel(node, id)
                raise StopRequestedError
            if state == b"canceled" or retries >= _MOST_RETRIES:
                self._cancel(node, id)
                raise MoveFailedError(f"{node.port}: {trouble}")
            time.sleep(_PERIOD)

    def _look(self, node: SeenNode, id: str) -> tuple[bytes, str, int]:
        """State, last error and number of retries of a task."""
        try:
            shown = self._links.of(node).call("CLUSTER", "MIGRATION", "STATUS", "ID", id)
        except RefusedError as error:
            raise MoveFailedError(f"{node.port}: {error}") from None
        if not shown:
            # It has begun anew, and knows of nothing.
            raise MoveFailedError(f"{node.port}: the task has gone")
        fields = dict(zip(shown[0][::2], shown[0][1::2], strict=True))
        trouble = fields[b"last_error"].decode(errors="replace")
        return fields[b"state"], trouble, fields[b"retries"]

    def _cancel(self, node: SeenNode, id: str) -> None:
        self._links.of(node).pipeline([("CLUSTER", "MIGRATION", "CANCEL", "ID", id)])


def _ends(slots: Sequence[int]) -> list[int]:
    """First and last slots of the ranges that slots in order are."""
    ends: list[int] = []
    for slot in slots:
        if ends and slot == ends[-1] + 1:
            ends[-1] = slot
        else:
            ends += [slot, slot]
    return ends
