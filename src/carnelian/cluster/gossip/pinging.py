"""When nodes are asked whether they are there, and what follows when they do not answer."""

from __future__ import annotations

from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import HANDSHAKE, MYSELF, NO_ADDRESS
from carnelian.cluster.member.membership import Membership

# Every so many rounds, which is about a second, one of some random nodes is pinged.
_ROUNDS = 10
_LOOKED_AT = 5


class Pinging:
    """What is done ten times a second about those who are there, or should be."""

    def __init__(self, membership: Membership, messenger: Messenger):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._rounds = 0

    def tend(self) -> None:
        """Ask, and suspect. O(nodes)"""
        self._rounds += 1
        if self._rounds % _ROUNDS == 0:
            self._ping_oldest()
        now = self._view.now
        timeout = self._membership.settings.node_timeout
        half = timeout // 2
        for node in self._view.nodes.values():
            if not node.ping_sent:
                if now - node.pong_received > half and not self._is_spared(node):
                    # Nobody is left alone for longer than half of the timeout.
                    self._messenger.ping(node)
            elif not self._is_spared(node):
                self._check(node, now, timeout)
        self._ping_follower()

    @staticmethod
    def _is_spared(node: ClusterNode) -> bool:
        return bool(node.flags & (MYSELF | NO_ADDRESS | HANDSHAKE))

    def _ping_oldest(self) -> None:
        """Ping whom of some random nodes we have not heard of for the longest time."""
        nodes = list(self._view.nodes.values())
        oldest: ClusterNode | None = None
        for _ in range(_LOOKED_AT):
            node = self._membership.host.random.choice(nodes)
            if node.link is None or node.ping_sent or node.flags & (MYSELF | HANDSHAKE):
                continue
            if oldest is None or node.pong_received < oldest.pong_received:
                oldest = node
        if oldest is not None:
            self._messenger.ping(oldest)

    def _check(self, node: ClusterNode, now: int, timeout: int) -> None:
        """A node has not answered yet. Whatever comes from it tells that it lives: under load its
        answers may take long.
        """
        silence = min(now - node.ping_sent, now - node.data_received)
        link = node.link
        if link is not None and silence > timeout // 2 and now - link.created > timeout:
            # Perhaps it is only the connection: the next round makes another.
            link.close()
        if silence > timeout:
            self._messenger.detection.suspect(node)

    def _ping_follower(self) -> None:
        """Tell a replica again and again how far we are while our clients wait for it."""
        manual = self._membership.manual
        if manual and manual.replica is not None and self._view.myself.is_primary:
            self._messenger.ping(manual.replica)
