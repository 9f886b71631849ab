"""What this node says to others."""

from __future__ import annotations

from carnelian.cluster.bus.bus_codec import encode
from carnelian.cluster.bus.bus_messages import (
    FORCE_ACK,
    PAUSED,
    STATE_FAIL,
    STATE_OK,
    Body,
    BusMessage,
    Claim,
    Extensions,
    Failure,
    Gossip,
    ModuleData,
    Publication,
)
from carnelian.cluster.gossip.failure_detection import FailureDetection
from carnelian.cluster.gossip.gossip_sections import GossipSections
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ClusterNode, NodeLink
from carnelian.cluster.known.node_flags import HANDSHAKE, MYSELF
from carnelian.cluster.known.slot_bitmap import bitmap_of, mask_of
from carnelian.cluster.member.membership import Membership
from carnelian.net.protocol import Timer

# Seconds in which all are told once, where what they are to know changes a little again and again.
_PAUSE = 0.01


class Messenger:
    """Makes messages of what is known, and sends them. What there is no link for is not sent."""

    def __init__(self, membership: Membership):
        self._membership = membership
        self._view = membership.view
        self.detection = FailureDetection(membership, self.tell_failure)
        self.sections = GossipSections(membership, self.detection)
        # Until then nobody is told; and whether there is something to tell.
        self._pause: Timer | None = None
        self._is_due = False

    # -- PING, PONG, MEET ------------------------------------------------------------------------

    def ping(self, node: ClusterNode) -> None:
        """Ask a node whether it is there."""
        if node.link is not None:
            node.ping_sent = self._view.now
            self._send_gossip(node.link, types.PING, node)

    def greet(self, node: ClusterNode, as_new: bool) -> None:
        """Say the first thing on a connection to a node: a ping, or a MEET if we are new to it."""
        since = node.ping_sent
        if node.link is not None:
            self._send_gossip(node.link, types.MEET if as_new else types.PING, node)
        node.ping_sent = since or self._view.now

    def answer(self, link: NodeLink, node: ClusterNode | None) -> None:
        """Answer a PING or MEET, of a node that may not be known."""
        self._send_gossip(link, types.PONG, node)

    def ping_back(self, link: NodeLink, node: ClusterNode) -> None:
        """Ask on a connection that a node has made to us."""
        self._send_gossip(link, types.PING, node)

    def tell_all(self) -> None:
        """Let all others know what has changed here, at once."""
        for node in self._view.nodes.values():
            if not node.flags & (MYSELF | HANDSHAKE) and node.link is not None:
                self._send_gossip(node.link, types.PONG, node)

    def tell_all_soon(self) -> None:
        """As :meth:`tell_all`, of what changes slot by slot: at once, or with what comes next."""
        if self._pause is not None:
            self._is_due = True
            return
        self.tell_all()
        self._pause = self._membership.host.call_later(_PAUSE, self._tell_rest)

    def _tell_rest(self) -> None:
        self._pause = None
        if self._is_due:
            self._is_due = False
            self.tell_all_soon()

    def tell_siblings(self) -> None:
        """Let the other replicas of our primary know how much we have of its data."""
        primary = self._view.myself.primary
        for node in primary.replicas if primary else ():
            if not node.flags & (MYSELF | HANDSHAKE) and node.link is not None:
                self._send_gossip(node.link, types.PONG, node)

    def _send_gossip(self, link: NodeLink, kind: int, node: ClusterNode | None) -> None:
        gossip = Gossip(self.sections.choose(), self._extensions(node))
        self._send(link, kind, self._message(kind, gossip))

    def _extensions(self, node: ClusterNode | None) -> Extensions:
        """Those that a node understands; even none tell it that we understand them all.

        All versions with extensions know the host name. Redis 7.0 complains about any other.
        """
        myself = self._view.myself
        extensions = Extensions(myself.hostname)
        if node is not None and node.knows_extensions:
            extensions.human_name = myself.human_name
            extensions.shard_id = myself.shard_id
            if len(self._view.forgotten):
                extensions.forgotten = self._view.forgotten.remaining(self._view.now)
        return extensions

    # -- Others ----------------------------------------------------------------------------------

    def tell_failure(self, node: ClusterNode) -> None:
        """Tell all that a node has failed."""
        self._broadcast(types.FAIL, Failure(node.wire_id))

    def update(self, node: ClusterNode, owner: ClusterNode) -> None:
        """Tell a node which slots another has, without those that it does not claim any more."""
        if node.link is not None:
            slots = bitmap_of(mask_of(owner.slots) & ~self._view.unclaimed)
            claim = Claim(owner.wire_id, owner.config_epoch, slots)
            self._send(node.link, types.UPDATE, self._message(types.UPDATE, claim))

    def ask_for_votes(self, force: bool) -> None:
        """Ask all primaries to let us replace ours; ``force`` is though it works."""
        flags = FORCE_ACK if force else 0
        self._broadcast(types.AUTH_REQUEST, None, flags)

    def vote(self, node: ClusterNode) -> None:
        """Vote for a replica."""
        self._send_bare(node, types.AUTH_ACK)

    def begin_manual_failover(self, primary: ClusterNode) -> None:
        """Ask our primary to pause its clients."""
        self._send_bare(primary, types.MFSTART)

    def publish(self, channel: bytes, message: bytes, sharded: bool) -> None:
        """Give a message to all others, or to those of our shard."""
        body = Publication(channel, message)
        if not sharded:
            self._broadcast(types.PUBLISH, body)
            return
        data = b""
        for node in self._view.shard_of(self._view.myself):
            if not node.flags & (MYSELF | HANDSHAKE) and node.link is not None:
                data = data or self._message(types.PUBLISHSHARD, body)
                self._send(node.link, types.PUBLISHSHARD, data)

    def send_module_data(self, node: ClusterNode | None, data: ModuleData) -> None:
        """Give what modules say to a node, or to all."""
        if node is None:
            self._broadcast(types.MODULE, data)
        elif node.link is not None:
            self._send(node.link, types.MODULE, self._message(types.MODULE, data))

    def _send_bare(self, node: ClusterNode, kind: int) -> None:
        if node.link is not None:
            self._send(node.link, kind, self._message(kind, None))

    def _broadcast(self, kind: int, body: Body | None, flags: int = 0) -> None:
        data = self._message(kind, body, flags)
        for node in self._view.nodes.values():
            if not node.flags & (MYSELF | HANDSHAKE) and node.link is not None:
                self._send(node.link, kind, data)

    def _send(self, link: NodeLink, kind: int, data: bytes) -> None:
        link.send(data)
        statistics = self._view.statistics
        statistics.sent[kind] += 1
        statistics.bytes_sent += len(data)

    def _message(self, kind: int, body: Body | None, flags: int = 0) -> bytes:
        """A message with what others are to know of us."""
        membership, view = self._membership, self._view
        settings, myself = membership.settings, view.myself
        leader = myself.leader
        tcp, tls, bus_port = membership.announced_ports()
        if myself.is_primary and membership.manual:
            flags |= PAUSED
        return encode(
            BusMessage(
                kind,
                myself.wire_id,
                view.current_epoch,
                leader.config_epoch,
                leader.slots,
                membership.around.offset(),
                myself.primary.wire_id if myself.primary is not None else b"",
                settings.announce_ip,
                tls if settings.tls_cluster else tcp,
                tcp if settings.tls_cluster else tls,
                bus_port,
                myself.flags & 0xFFFF,
                STATE_OK if view.is_ok else STATE_FAIL,
                flags,
                body,
            )
        )
