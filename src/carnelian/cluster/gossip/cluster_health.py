"""Whether the cluster works for this node: all slots are served, and most primaries are there."""

from __future__ import annotations

from carnelian.cluster.known.node_flags import FAIL, FAILURE
from carnelian.cluster.member.membership import Membership

# Milliseconds: a primary waits after most others have first answered it, in case that it was
# replaced before its start, and after it was cut off from the others for as long as they take to
# find that out, within these bounds.
_WAIT_AFTER_START = 2000
_LEAST_REJOIN = 500
_MOST_REJOIN = 5000

_MINORITY = "most primaries are out of reach"


class ClusterHealth:
    """Evaluates the state anew whenever something has changed that it depends on."""

    def __init__(self, membership: Membership):
        self._membership = membership
        self._view = membership.view
        # When it began to wait, which it does anew until most primaries have answered.
        self._started: int | None = None
        self._has_been_answered = False
        self._last_in_minority: int | None = None

    def evaluate(self) -> None:
        """Find out whether all is well. O(nodes)"""
        self._membership.must_evaluate = False
        view = self._view
        now = view.now
        is_primary = view.myself.is_primary
        problem = self._problem()
        # Replicas count the time as well: who takes over later has started long ago.
        is_starting = self._is_starting(now)
        if is_primary and not view.is_ok and is_starting:
            # Nor is it looked for a majority: who has no slots yet was not cut off from anybody.
            return
        if problem == _MINORITY:
            self._last_in_minority = now
        if view.is_ok == (not problem):
            view.why_not_ok = problem
            return
        if not problem and is_primary and self._is_rejoining(now):
            view.why_not_ok = "the node has just come back to a majority"
            return
        view.is_ok = not problem
        view.why_not_ok = problem
        state = "ok" if view.is_ok else f"fail ({problem})"
        self._membership.around.log("warning", f"Cluster state changed: {state}")

    def _problem(self) -> str:
        """What is wrong, "" if nothing is."""
        view = self._view
        covered = size = reachable = 0
        failed = False
        for node in view.nodes.values():
            flags = node.flags
            if not node.slot_count:
                continue
            covered += node.slot_count
            failed = failed or bool(flags & FAIL)
            if node.is_primary:
                size += 1
                reachable += not flags & FAILURE
        view.size = size
        problem = ""
        if self._membership.settings.require_full_coverage:
            if covered < len(view.owners):
                problem = "some slots have no node"
            elif failed:
                problem = "the node of some slots has failed"
        return _MINORITY if reachable < view.quorum else problem

    def _is_starting(self, now: int) -> bool:
        """Whether others may have replaced this node without its knowledge: who starts where
        nobody reaches it would take writes for a timeout, until it has found that out.
        """
        if self._started is None or not (self._has_been_answered or self._is_answered()):
            self._started = now
        return now - self._started < _WAIT_AFTER_START

    def _is_answered(self) -> bool:
        """Whether most primaries have answered since the start, if there are any."""
        view = self._view
        answered = sum(
            node.has_answered or node is view.myself
            for node in view.nodes.values()
            if node.is_primary and node.slot_count
        )
        self._has_been_answered = answered >= view.quorum
        return self._has_been_answered or not view.size

    def _is_rejoining(self, now: int) -> bool:
        if self._last_in_minority is None:
            return False
        delay = min(max(self._membership.settings.node_timeout, _LEAST_REJOIN), _MOST_REJOIN)
        return now - self._last_in_minority < delay
