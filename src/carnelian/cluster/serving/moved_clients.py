"""Clients that wait or listen for what has gone to other nodes: they are told where, or that it is
over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.cluster.serving.redirections import DOWN, MOVED, UNSERVED
from carnelian.commands.connections.pubsub_commands import drop_shard_channels
from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.catalogue.registry import WRITE
from carnelian.engine.ground.flags import FLAG_READONLY

if TYPE_CHECKING:
    from carnelian.cluster.known.cluster_view import ClusterView
    from carnelian.cluster.serving.redirections import Refusals
    from carnelian.cluster.serving.slot_check import SlotCheck
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client
    from carnelian.resp.replies import Error, Redirection


class MovedClients:
    """Looks after clients when owners of slots, or the state of the cluster, have changed."""

    def __init__(self, engine: Engine, view: ClusterView, refusals: Refusals, check: SlotCheck):
        self._engine = engine
        self._view = view
        self._refusals = refusals
        self._check = check
        engine.blocking.redirection = self._redirection

    def _redirection(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        """Where one who waits goes on, if its keys have left with a slot that is on its way."""
        blocked = session.blocked
        if not self._view.migrating_to or blocked is None or not blocked.places:
            return None
        if hash_slot(blocked.places[0][1]) not in self._view.migrating_to:
            return None
        return self._check.judge(session, command, args)

    def look_after(self) -> None:
        """Send those away who wait or listen in vain. O(n) in those who do either."""
        if self._engine.blocking.waiters:
            self._redirect_waiting()
        if self._engine.pubsub.shard_channels:
            self._drop_channels()

    def _redirect_waiting(self) -> None:
        blocking = self._engine.blocking
        waiting = {
            session: None
            for kinds in blocking.waiters.values()
            for sessions in kinds.values()
            for session in sessions
        }
        for session in waiting:
            error = self._objection(session)
            if error is not None:
                self._engine.stats.count_error(error.code)
                blocking.answer(session, error)

    def _objection(self, session: Client) -> Redirection | None:
        """Why a session would wait in vain; all its keys are in one slot."""
        view, blocked = self._view, session.blocked
        if blocked is None or not blocked.places:
            return None
        if not view.is_ok:
            return self._refusals.of_client(session, DOWN, -1, None)
        slot = hash_slot(blocked.places[0][1])
        owner = view.owners[slot]
        if owner is view.myself or slot in view.importing_from:
            return None
        if owner is None:
            return self._refusals.of_client(session, UNSERVED, slot, None)
        reads = blocked.command is not None and not blocked.command.flags & WRITE
        if session.flags & FLAG_READONLY and reads and owner is view.my_primary:
            return None
        return self._refusals.of_client(session, MOVED, slot, owner)

    def _drop_channels(self) -> None:
        """End subscriptions of channels whose slot is served by another shard, or by none."""
        leader = self._view.myself.leader
        gone = [
            channel
            for channel in self._engine.pubsub.shard_channels
            if self._view.owners[hash_slot(channel)] is not leader
        ]
        drop_shard_channels(self._engine, gone)
