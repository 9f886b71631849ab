"""Who does not answer, and who has failed for a majority; when that is over again."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import FAIL, MYSELF, PFAIL
from carnelian.cluster.member.membership import Membership

# Timeouts that a report is valid, and after which a primary that nobody has replaced is one again.
_REPORT_VALIDITY = 2
_UNDO = 2


class FailureDetection:
    """Flags of nodes that do not answer us (PFAIL) and that have failed (FAIL), and reports of
    primaries about them.

    Args:
        tell: tells all others that a node has failed.
    """

    def __init__(self, membership: Membership, tell: Callable[[ClusterNode], object]):
        self._membership = membership
        self._view = membership.view
        self._tell = tell
        # Nodes that did not answer us at the last round.
        self.suspected: list[ClusterNode] = []

    # -- Reports ---------------------------------------------------------------------------------

    def heed(self, sender: ClusterNode | None, node: ClusterNode, failed: bool) -> None:
        """A primary says that it gets no answer of a node, or that it does."""
        assert sender is not None
        log = self._membership.around.log
        is_new = sender not in node.reports
        if failed:
            node.reports[sender] = self._view.now
            if is_new:
                log("verbose", f"{_named(sender, node)} as not reachable.")
            self.judge(node)
        elif not is_new:
            del node.reports[sender]
            self._drop_old_reports(node)
            log("verbose", f"{_named(sender, node)} is back online.")

    def count_reports(self, node: ClusterNode) -> int:
        """How many other primaries say that they get no answer of it."""
        if node.reports:
            self._drop_old_reports(node)
        return len(node.reports)

    def _drop_old_reports(self, node: ClusterNode) -> None:
        oldest = self._view.now - self._membership.settings.node_timeout * _REPORT_VALIDITY
        node.reports = {who: time for who, time in node.reports.items() if time >= oldest}

    # -- Failure ---------------------------------------------------------------------------------

    def suspect(self, node: ClusterNode) -> None:
        """A node has not answered us in time."""
        if not node.flags & (PFAIL | FAIL):
            self._membership.around.log("debug", f"Node {node.id} does not answer")
            node.flags |= PFAIL
            self._membership.soon_evaluate()
            # Others may have told already; and an only primary need not ask anybody.
            self.judge(node)

    def judge(self, node: ClusterNode) -> None:
        """Find that a node has failed if it does not answer us and a majority says the same."""
        if not node.is_suspected or node.has_failed:
            return
        # Ourselves among them, if we are a primary.
        failures = self.count_reports(node) + self._view.myself.is_primary
        if failures < self._view.quorum:
            return
        self._membership.around.log(
            "notice", f"Marking node {node.id} ({node.human_name}) as failing (quorum reached)."
        )
        self._mark(node)
        self._tell(node)

    def hear(self, sender: ClusterNode, node: ClusterNode | None) -> None:
        """A node says that another has failed for a majority."""
        if node is None or node.flags & (FAIL | MYSELF):
            return
        self._membership.around.log(
            "notice",
            f"FAIL message received from {sender.id} ({sender.human_name}) "
            f"about {node.id} ({node.human_name})",
        )
        self._mark(node)

    def _mark(self, node: ClusterNode) -> None:
        node.flags = node.flags & ~PFAIL | FAIL
        node.fail_time = self._view.now
        self._membership.soon_update()

    # -- And its end -----------------------------------------------------------------------------

    def answered(self, node: ClusterNode) -> None:
        """A node has answered us."""
        if node.is_suspected:
            node.flags &= ~PFAIL
            self._membership.soon_update()
        elif node.has_failed:
            self._clear_if_due(node)

    def _clear_if_due(self, node: ClusterNode) -> None:
        """A node that serves no slots works again at once; a primary after others have had time to
        replace it.
        """
        if node.is_replica or not node.slot_count:
            what = "replica" if node.is_replica else "master without slots"
            reason = f"{what} is reachable again"
        elif (
            node.is_primary
            and self._view.now - node.fail_time > self._membership.settings.node_timeout * _UNDO
        ):
            reason = "is reachable again and nobody is serving its slots after some time"
        else:
            return
        self._membership.around.log(
            "notice", f"Clear FAIL state for node {node.id} ({node.human_name}): {reason}."
        )
        node.flags &= ~FAIL
        self._membership.soon_update()


def _named(sender: ClusterNode, node: ClusterNode) -> str:
    return f"Node {sender.id} ({sender.human_name}) reported node {node.id} ({node.human_name})"
