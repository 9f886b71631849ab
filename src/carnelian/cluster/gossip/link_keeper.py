"""The connections of the bus: made to every node, accepted from every node, and ended."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.known.cluster_node import ClusterNode, NodeLink
from carnelian.cluster.known.node_flags import HANDSHAKE, MEET, MYSELF, NO_ADDRESS, PFAIL
from carnelian.cluster.member.membership import Membership
from carnelian.net.protocol import Address, Ear

# Milliseconds that an unknown node has at least to say who it is.
_LEAST_HANDSHAKE = 1000

Receiver = Callable[[BusLink, bytes], object]


class LinkKeeper:
    """Keeps a connection to each node, and takes those that nodes make to us. A LinkOwner.

    Args:
        receive: given each message with the link that it came on.
    """

    def __init__(self, membership: Membership, messenger: Messenger, receive: Receiver):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._receive = receive
        self._ears: list[Ear] = []
        # Connections that others have made and that have not said yet whose they are.
        self._strangers: dict[BusLink, None] = {}

    # -- Listening -------------------------------------------------------------------------------

    def listen(self, addresses: list[Address]) -> None:
        """Accept connections. Raises OSError, and listens nowhere then."""
        try:
            for address in addresses:
                self._ears.append(self._membership.host.listen(address, self._accept))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Listen no more, and end all connections."""
        for ear in self._ears:
            ear.close()
        self._ears.clear()
        for stranger in list(self._strangers):
            stranger.close()
        self._strangers.clear()
        for node in self._view.nodes.values():
            close_links(node)

    def _accept(self) -> BusLink:
        link = BusLink(self, None, self._view.now)
        self._strangers[link] = None
        return link

    def introduce(self, link: BusLink, node: ClusterNode) -> None:
        """A connection that was made to us is that of a node; an older one of it is ended."""
        self._strangers.pop(link, None)
        if node.inbound_link is not None:
            node.inbound_link.close()
        node.inbound_link = link
        link.node = node

    # -- Rounds ----------------------------------------------------------------------------------

    def tend(self) -> None:
        """End what has to be ended, and connect to whom there is no connection."""
        view = self._view
        now = view.now
        limit = self._membership.settings.link_sendbuf_limit
        patience = max(self._membership.settings.node_timeout, _LEAST_HANDSHAKE)
        suspected = []
        for node in list(view.nodes.values()):
            if limit:
                self._cut(node.link, node, limit)
                self._cut(node.inbound_link, node, limit)
            flags = node.flags
            if flags & (MYSELF | NO_ADDRESS):
                continue
            if flags & HANDSHAKE and now - node.created > patience:
                view.remove(node)
                continue
            if flags & PFAIL:
                suspected.append(node)
            if node.link is None:
                self._connect(node, now)
        self._messenger.detection.suspected = suspected
        view.statistics.suspected = len(suspected)

    def _connect(self, node: ClusterNode, now: int) -> None:
        link = BusLink(self, node, now)
        node.link = link
        if not node.ping_sent:
            # It may never answer: the time of silence counts from now on.
            node.ping_sent = now
        self._membership.host.connect((node.ip, node.bus_port), link)

    def _cut(self, link: NodeLink | None, node: ClusterNode, limit: int) -> None:
        """End a connection on which too much waits to be sent."""
        if link is None or link.unsent <= limit:
            return
        direction = "from" if link.is_inbound else "to"
        self._membership.around.log(
            "warning",
            f"Closing the link {direction} node {node.id} ({node.human_name}): "
            f"{link.unsent} bytes wait to be sent.",
        )
        link.close()
        self._view.statistics.links_over_limit += 1

    # -- LinkOwner -------------------------------------------------------------------------------

    def ready(self, link: BusLink) -> None:
        """A connection stands: the first thing on ours is a ping, lest the node seems silent."""
        if link.node is None:
            if self._membership.around.is_loading and not self._membership.around.followed():
                # What others say might change the keys that are being read.
                link.close()
                self._strangers.pop(link, None)
            return
        node = link.node
        # Until it has answered: the first MEET may be lost with its connection.
        self._messenger.greet(node, bool(node.flags & MEET))

    def received(self, link: BusLink, data: bytes) -> None:
        """A message has come."""
        self._receive(link, data)

    def ended(self, link: BusLink, reason: str) -> None:
        """A connection has ended; the next round makes another if it was ours."""
        self._strangers.pop(link, None)
        log = self._membership.around.log
        if reason.startswith("Bad message"):
            log("warning", reason)
        elif link.node is None and reason != "closed":
            # Most of the time its certificate will not do.
            log("verbose", f"Error accepting cluster node connection: {reason}")
        elif link.node is not None:
            log("debug", f"The link with node {link.node.id} has ended: {reason}")


def close_links(node: ClusterNode, outbound: bool = True, inbound: bool = True) -> None:
    """End the connections with a node."""
    if outbound and node.link is not None:
        node.link.close()
    if inbound and node.inbound_link is not None:
        node.inbound_link.close()
