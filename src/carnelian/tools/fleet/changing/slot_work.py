"""Bringing slots to where a plan wants them, through failures and interruptions.

The plan is made anew from what the nodes say whenever something has gone wrong, so nothing has to
be remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from carnelian.tools.fleet.changing.node_links import NodeLinks
from carnelian.tools.fleet.changing.open_slots import Repairs, plan_repairs
from carnelian.tools.fleet.changing.slot_mover import MoveFailedError
from carnelian.tools.fleet.changing.whole_slot_mover import WholeMover
from carnelian.tools.fleet.planning.slot_plans import Transfer, in_words
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError, StopRequests
from carnelian.tools.fleet.screen.fleet_table import counted
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.screen.move_progress import MoveProgress
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wire.cluster_seen import SeenCluster
from carnelian.tools.fleet.wire.node_client import NodeUnreachableError, RefusedError

# Seconds without any progress after which it is given up: longer than a failover takes.
_PATIENCE = 45.0
_PAUSE = 0.5

Plan = Callable[[SeenCluster], list[Transfer]]


class SlotWork:
    """Moves slots of the cluster that ``links`` lead to, and shows how far it is."""

    def __init__(self, links: NodeLinks, display: LiveDisplay, stop: StopRequests):
        self._links = links
        self._display = display
        self._stop = stop

    def carry_out(self, plan: Plan) -> int:
        """Move slots until the plan has nothing more to move; returns how many were moved.

        Raises FleetError if nothing comes forward any more, and StopRequestedError.
        """
        progress = MoveProgress(self._display, 0)
        moved = 0.0
        last, told = time.monotonic(), ""
        try:
            while True:
                try:
                    if not self._round(plan, progress):
                        return progress.slots
                except (MoveFailedError, NodeUnreachableError, RefusedError) as error:
                    now = time.monotonic()
                    if progress.slots + progress.keys > moved:
                        moved, last = progress.slots + progress.keys, now
                    if now - last > _PATIENCE:
                        raise FleetError(f"slots cannot be moved: {error}") from None
                    if str(error) != told:
                        told = str(error)
                        self._display.say(f"{error}; trying again")
                    self._stop.pause(_PAUSE)
        except StopRequestedError:
            self._tell_of_stop()
            raise
        finally:
            progress.close()

    def _tell_of_stop(self) -> None:
        try:
            left = sorted({found.slot for found in self._links.observe().open_slots()})
        except FleetError:
            return
        state = f"slots {in_words(left)} are half moved" if left else "no slot is half moved"
        self._display.say(f"stopped; {state}, clients are served; the same command goes on")

    def _round(self, plan: Plan, progress: MoveProgress) -> bool:
        """Do all that is to be done at the moment; False if that is nothing."""
        cluster = self._links.observe()
        mover = WholeMover(self._links, progress, self._stop)
        repairs = plan_repairs(cluster, self._keys(cluster))
        if repairs.slots:
            self._display.say(
                f"{counted(len(repairs.slots), 'slot')} half moved ({in_words(repairs.slots)}): "
                "finishing"
            )
            progress.expect(len(repairs.slots))
            self._close(cluster, repairs)
            for transfer in repairs.finish:
                mover.move(transfer, cluster)
            cluster = self._links.observe()
        transfers = plan(cluster)
        progress.expect(sum(len(transfer.slots) for transfer in transfers))
        for transfer in transfers:
            mover.move(transfer, cluster)
        return bool(transfers)

    def _keys(self, cluster: SeenCluster) -> Callable[[str, int], int]:
        def count(id: str, slot: int) -> int:
            client = self._links.of(cluster.nodes[id])
            return int(client.call("CLUSTER", "COUNTKEYSINSLOT", slot))

        return count

    def _close(self, cluster: SeenCluster, repairs: Repairs) -> None:
        for id, slot in repairs.close:
            self._links.of(cluster.nodes[id]).call("CLUSTER", "SETSLOT", slot, "STABLE")
