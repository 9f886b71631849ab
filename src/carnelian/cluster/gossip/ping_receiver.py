"""What a PING, PONG or MEET of another node changes here."""

from __future__ import annotations

from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.bus.bus_messages import BusMessage, Gossip
from carnelian.cluster.gossip.extension_news import ExtensionNews
from carnelian.cluster.gossip.handshakes import Handshakes
from carnelian.cluster.gossip.messenger import Messenger
from carnelian.cluster.gossip.role_changes import RoleChanges
from carnelian.cluster.gossip.slot_claims import SlotClaims
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import NO_FAILOVER
from carnelian.cluster.member.membership import Membership


class PingReceiver:
    """Takes them to the parts that they concern, in an order in which each can rely on those
    before: who it is, where it is, that it lives, its role, its slots, and what it tells of others.
    """

    def __init__(
        self,
        membership: Membership,
        messenger: Messenger,
        handshakes: Handshakes,
        roles: RoleChanges,
        claims: SlotClaims,
    ):
        self._view = membership.view
        self._membership = membership
        self._messenger = messenger
        self._handshakes = handshakes
        self._roles = roles
        self._claims = claims
        self._news = ExtensionNews(membership)

    def take(self, link: BusLink, sender: ClusterNode | None, message: BusMessage) -> None:
        """Heed a message; the sender is None if it is not known."""
        gossip = message.body
        assert isinstance(gossip, Gossip)
        if message.type != types.PONG:
            self._answer(link, sender, message, gossip)
        if not link.is_inbound:
            if not self._handshakes.complete(link, sender, message):
                return
            # Who has just said who it is was not known when the message came.
            self._take_answer(link, message)
        if sender is None:
            return
        self._take_state(link, sender, message)
        if sender.is_myself:
            # The address of another node is ours now. What we have said before may be out of date.
            return
        self._roles.heed(sender, message)
        self._claims.compare(sender, message)
        self._messenger.sections.take(gossip, sender)
        self._news.heed(sender, gossip.extensions)

    def _answer(
        self, link: BusLink, sender: ClusterNode | None, message: BusMessage, gossip: Gossip
    ) -> None:
        is_meet = message.type == types.MEET
        if is_meet or not self._view.myself.ip:
            # Who does not know us yet has our address from an administrator.
            self._handshakes.learn_own_address(link)
        if sender is None and is_meet:
            self._handshakes.met(link, message)
            self._messenger.sections.take(gossip, None)
        self._messenger.answer(link, sender)

    def _take_answer(self, link: BusLink, message: BusMessage) -> None:
        node = link.node
        if message.type == types.PONG and node is not None:
            node.pong_received = self._view.now
            node.ping_sent = 0
            node.has_answered = True
            self._messenger.detection.answered(node)

    def _take_state(self, link: BusLink, sender: ClusterNode, message: BusMessage) -> None:
        sender.flags = sender.flags & ~NO_FAILOVER | message.flags & NO_FAILOVER
        if (
            message.type == types.PING
            and not sender.in_handshake
            and self._handshakes.relocate(sender, link, message)
        ):
            self._membership.soon_update()
