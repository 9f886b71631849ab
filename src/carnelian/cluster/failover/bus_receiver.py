"""Messages of the bus, and the parts that they concern."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.cluster.bus.bus_codec import GOSSIP_TYPES, PUBLISH_TYPES, decode, type_of
from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.bus.bus_messages import BusMessage, Claim, Failure, Publication
from carnelian.cluster.failover.manual_failover import ManualFailover
from carnelian.cluster.failover.replica_election import ReplicaElection
from carnelian.cluster.failover.voting import Voting
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.ping_receiver import PingReceiver
from carnelian.cluster.gossip.slot_claims import SlotClaims
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.member.membership import Membership


class BusReceiver:
    """Takes every message that comes.

    Args:
        introduce: told whose a connection is that was made to us.
    """

    def __init__(
        self,
        membership: Membership,
        messenger: Messenger,
        pings: PingReceiver,
        claims: SlotClaims,
        election: ReplicaElection,
        voting: Voting,
        manual: ManualFailover,
    ):
        self._membership = membership
        self._view = membership.view
        self._messenger = messenger
        self._pings = pings
        self._claims = claims
        self._election = election
        self._voting = voting
        self._manual = manual
        self.introduce: Callable[[BusLink, ClusterNode], object] = lambda link, node: None
        # A type of message that is ignored, or -1.
        self.dropped_type = -1

    def take(self, link: BusLink, data: bytes) -> None:
        """Heed a message; bytes that are none are told of and do no harm."""
        statistics = self._view.statistics
        statistics.bytes_received += len(data)
        kind = type_of(data)
        if kind < types.TYPE_COUNT:
            statistics.received[kind] += 1
        try:
            message = decode(data)
        except BusError as error:
            self._membership.around.log("warning", f"Received an invalid message: {error}")
            return
        if kind == self.dropped_type:
            self._membership.around.log("warning", "Dropping packet that matches debug drop filter")
            return
        sender = self._find_sender(link, message)
        if sender is not None:
            self._heed_header(sender, message)
        if kind in GOSSIP_TYPES:
            self._pings.take(link, sender, message)
        elif sender is not None:
            self._take_other(link, sender, message)
        elif kind == types.FAIL:
            self._membership.around.log(
                "notice", f"Ignoring FAIL message from unknown node {message.sender.decode()}"
            )

    def _find_sender(self, link: BusLink, message: BusMessage) -> ClusterNode | None:
        """Who has sent it, if we know. A connection made to us is from now on that of its node."""
        node = link.node
        if node is not None and node.wire_id == message.sender:
            return node
        sender = self._view.nodes_by_wire_id.get(message.sender)
        if sender is not None and node is None:
            self.introduce(link, sender)
        return sender

    def _heed_header(self, sender: ClusterNode, message: BusMessage) -> None:
        view = self._view
        now = view.now
        sender.data_received = now
        if sender.in_handshake:
            return
        if message.current_epoch > view.current_epoch:
            view.current_epoch = message.current_epoch
        if message.config_epoch > sender.config_epoch:
            sender.config_epoch = message.config_epoch
            # It tells so again: only what this node has promised has to be on the disk.
            self._membership.soon_save()
        sender.repl_offset = message.offset
        sender.repl_offset_time = now
        self._manual.heed(sender, message)

    def _take_other(self, link: BusLink, sender: ClusterNode, message: BusMessage) -> None:
        kind, body = message.type, message.body
        if isinstance(body, Failure):
            failing = self._view.nodes_by_wire_id.get(body.id)
            self._messenger.detection.hear(sender, failing)
        elif isinstance(body, Publication):
            sharded = kind == PUBLISH_TYPES[1]
            self._membership.around.deliver(body.channel, body.message, sharded)
        elif isinstance(body, Claim):
            self._claims.update(body)
        elif kind == types.AUTH_REQUEST:
            self._voting.vote(sender, message)
        elif kind == types.AUTH_ACK:
            self._election.count(sender, message.current_epoch)
        elif kind == types.MFSTART:
            self._manual.requested(link, sender)
        elif kind != types.MODULE:
            self._membership.around.log("warning", f"Received unknown packet type: {kind}")
