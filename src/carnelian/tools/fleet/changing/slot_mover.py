"""Moving slots between primaries that serve clients meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.fleet.changing.node_links import TIMEOUT, NodeLinks
from carnelian.tools.fleet.planning.slot_plans import Transfer
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError, StopRequests
from carnelian.tools.fleet.screen.move_progress import MoveProgress
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster, SeenNode
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError

# Slots that are open at a time, at first, at least and at most.
_FIRST_BATCH, _SMALLEST_BATCH, _LARGEST_BATCH = 32, 4, 256
# Seconds for which slots are open; aimed at, not kept.
_OPEN = 0.2
# Slots whose keys are asked for at a time.
_LOOK = 8
# Keys that go by one command: the first, and at most.
_FIRST_STEP = 32
_LONGEST_STEP = 512
# Seconds for which a node may be kept from its clients by one pipeline; aimed at, not kept.
_LONG, _SHORT = 0.02, 0.008
# What MIGRATE waits for at most, for one key that is as large as keys get.
_MIGRATE_MS = 60_000


class MoveFailedError(Exception):
    """A node has refused a step; the cluster has to be looked at anew."""


class Mover(Protocol):
    """A way of moving slots."""

    def move(self, transfer: Transfer, cluster: SeenCluster) -> None:
        """Move slots, of which some may have been moved, or be half moved, already.

        Raises MoveFailedError, NodeUnreachableError, or StopRequestedError. Slots may be open then;
        moving them again finishes that.
        """
        ...


class KeyMover:
    """Moves slots key by key, as every Redis Cluster can.

    The destination is told first of what is to come, and first of what it has got, so that there is
    a node for each key at any time. A key that is on both sides after a MIGRATE whose answer was
    lost is served by the source alone, which is why that one's replaces the other.
    """

    def __init__(self, links: NodeLinks, progress: MoveProgress, stop: StopRequests):
        self._links = links
        self._progress = progress
        self._stop = stop
        self._step = _FIRST_STEP
        self._batch = _FIRST_BATCH

    def move(self, transfer: Transfer, cluster: SeenCluster) -> None:
        """Move slots, some at a time; a request to stop is heeded between these.

        A second one is heeded at once, and leaves slots open.
        """
        source, destination = cluster.nodes[transfer.source], cluster.nodes[transfer.destination]
        self._progress.begin(f"{source.port} -> {destination.port}")
        waiting = transfer.slots
        while waiting:
            self._stop.check()
            began = time.monotonic()
            slots = self._open(source, destination, waiting[: self._batch])
            waiting = waiting[self._batch :]
            self._move_keys(source, destination, slots)
            self._close(source, destination, slots, cluster)
            self._progress.add(slots=len(slots))
            self._adapt_batch(time.monotonic() - began)

    def _adapt_batch(self, seconds: float) -> None:
        """Open fewer slots at a time where these have many keys, more where they have few."""
        if seconds > _OPEN:
            self._batch = max(_SMALLEST_BATCH, self._batch // 2)
        elif seconds < _OPEN / 4:
            self._batch = min(_LARGEST_BATCH, self._batch * 2)

    def _open(self, source: SeenNode, destination: SeenNode, slots: Sequence[int]) -> Sequence[int]:
        """Open slots on both sides; returns them without those that are the destination's."""
        replies = self._tell(destination, slots, "IMPORTING", source.id)
        kept = []
        for slot, reply in zip(slots, replies, strict=True):
            if isinstance(reply, Refusal) and b"already the owner" in reply:
                continue
            _expect_ok(reply, destination)
            kept.append(slot)
        for reply in self._tell(source, kept, "MIGRATING", destination.id):
            _expect_ok(reply, source)
        return kept

    def _close(
        self,
        source: SeenNode,
        destination: SeenNode,
        slots: Sequence[int],
        cluster: SeenCluster,
    ) -> None:
        """Give slots to the destination, in the knowledge of all."""
        for node in (destination, source):
            for reply in self._tell(node, slots, "NODE", destination.id):
                _expect_ok(reply, node)
        for node in cluster.primaries():
            if node.id in (source.id, destination.id) or node.id not in cluster.reports:
                continue
            try:
                # They hear it from the destination as well; this is only sooner.
                self._tell(node, slots, "NODE", destination.id)
            except NodeUnreachableError:
                pass

    def _tell(self, node: SeenNode, slots: Sequence[int], *words: str) -> list[Any]:
        commands: list[tuple[str | int, ...]] = [
            ("CLUSTER", "SETSLOT", slot, *words) for slot in slots
        ]
        return self._links.of(node).pipeline(commands)

    # -- Keys --------------------------------------------------------------------------------------

    def _move_keys(self, source: SeenNode, destination: SeenNode, slots: Sequence[int]) -> None:
        """Move all keys of open slots: those that were found go while more are looked for."""
        client = self._links.of(source)
        queue = deque(slots)
        found: list[list[bytes]] = []
        wide = True
        while queue or found:
            if self._stop.count > 1:
                raise StopRequestedError
            asked = [queue[place] for place in range(min(len(queue), _LOOK if wide else 1))]
            migrations = [self._migrate(destination, keys) for keys in found]
            questions = [("CLUSTER", "GETKEYSINSLOT", slot, self._step) for slot in asked]
            answers = self._run(client, migrations, questions, sum(map(len, found)), source)
            found, wide = self._choose(queue, asked, answers)

    def _choose(
        self, queue: deque[int], asked: Sequence[int], answers: Sequence[list[bytes]]
    ) -> tuple[list[list[bytes]], bool]:
        """The keys that go next; slots without keys are taken out of the queue.

        Also returns whether it is worth to look at several slots at a time.
        """
        found = []
        room = self._step
        for slot, keys in zip(asked, answers, strict=True):
            if not keys:
                queue.remove(slot)
            elif room > 0:
                found.append(keys[:room])
                room -= len(found[-1])
        return found, len(found) != 1 or room > 0

    def _migrate(self, destination: SeenNode, keys: list[bytes]) -> list[bytes | str | int]:
        host, port = self._links.address(destination)
        words: list[bytes | str | int] = ["MIGRATE", host, port, "", 0, _MIGRATE_MS, "REPLACE"]
        if self._links.password:
            words += ["AUTH", self._links.password]
        return [*words, "KEYS", *keys]

    def _run(
        self,
        client: NodeClient,
        migrations: Sequence[Sequence[bytes | str | int]],
        questions: Sequence[Sequence[bytes | str | int]],
        keys: int,
        source: SeenNode,
    ) -> list[list[bytes]]:
        """Migrate, and ask for more; returns the answers to the questions."""
        began = time.monotonic()
        patience = TIMEOUT + len(migrations) * _MIGRATE_MS / 1000
        replies = client.pipeline([*migrations, *questions], patience)
        self._adapt(time.monotonic() - began, keys)
        for reply in replies:
            if isinstance(reply, Refusal):
                raise MoveFailedError(f"{source.port}: {reply.decode(errors='replace')}")
        self._progress.add(keys=keys)
        return replies[len(migrations) :]

    def _adapt(self, seconds: float, keys: int) -> None:
        """Move fewer keys at a time where these are large, more where they are small."""
        if seconds > _LONG:
            self._step = max(1, self._step // 2)
        elif seconds < _SHORT and keys >= self._step:
            self._step = min(_LONGEST_STEP, self._step * 2)


def _expect_ok(reply: Any, node: SeenNode) -> None:
    if isinstance(reply, Refusal):
        raise MoveFailedError(f"{node.port}: {reply.decode(errors='replace')}")
