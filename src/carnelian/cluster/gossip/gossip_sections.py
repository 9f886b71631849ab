"""What messages tell of other nodes: which are told of, and what is made of what others tell."""

from __future__ import annotations

from carnelian.cluster.bus.bus_codec import ENTRY, address_text, is_wire_id
from carnelian.cluster.bus.bus_errors import BusError
from carnelian.cluster.bus.bus_messages import Gossip
from carnelian.cluster.gossip.failure_detection import FailureDetection
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import (
    FAILURE,
    HANDSHAKE,
    NO_ADDRESS,
    PFAIL,
    TOLD,
)
from carnelian.cluster.member.membership import Membership

# A message tells of a tenth of the nodes. In two timeouts at least eight messages are exchanged
# with each primary, so that most of them tell of a node that has failed while reports are valid.
_SHARE = 10
_LEAST = 3
# Milliseconds that the clock of another node may be ahead of ours.
_TOLERANCE = 500


class GossipSections:
    """Makes and takes the gossip of PING, PONG and MEET."""

    def __init__(self, membership: Membership, detection: FailureDetection):
        self._membership = membership
        self._view = membership.view
        self._detection = detection
        self._random = membership.host.random.random
        self._messages = 0
        # The nodes as a list, while they are the same.
        self._roster: list[ClusterNode] = []
        self._roster_version = -1

    # -- To tell ---------------------------------------------------------------------------------

    def choose(self) -> bytes:
        """Entries for the next message: some nodes at random, and all that do not answer us."""
        self._messages += 1
        chosen = self._choose_at_random()
        for node in self._detection.suspected:
            if node.flags & PFAIL and not node.flags & (HANDSHAKE | NO_ADDRESS):
                chosen.append(node)
        return self._pack(chosen)

    def _choose_at_random(self) -> list[ClusterNode]:
        roster = self._nodes()
        # All but ourselves and who gets the message.
        fresh = len(roster) - 2
        wanted = min(max(len(roster) // _SHARE, _LEAST), fresh)
        chosen: list[ClusterNode] = []
        number, random, count = self._messages, self._random, len(roster)
        myself = self._view.myself
        for _ in range(wanted * 3):
            if fresh <= 0 or len(chosen) >= wanted:
                break
            node = roster[int(random() * count)]
            flags = node.flags
            if node is myself or flags & PFAIL or node.gossiped_in == number:
                continue
            fresh -= 1
            if flags & (HANDSHAKE | NO_ADDRESS) or (node.link is None and not node.slot_count):
                continue
            node.gossiped_in = number
            chosen.append(node)
        return chosen

    def _nodes(self) -> list[ClusterNode]:
        if self._roster_version != self._view.version:
            self._roster = list(self._view.nodes.values())
            self._roster_version = self._view.version
        return self._roster

    def _pack(self, nodes: list[ClusterNode]) -> bytes:
        skew = self._view.skew
        pack = ENTRY.pack
        tls = self._membership.settings.tls_cluster
        return b"".join(
            [
                pack(
                    node.wire_id,
                    (node.ping_sent + skew) // 1000 if node.ping_sent else 0,
                    (node.pong_received + skew) // 1000 if node.pong_received else 0,
                    node.ip.encode(),
                    node.tls_port if tls else node.tcp_port,
                    node.bus_port,
                    node.flags & 0xFFFF,
                    node.tcp_port if tls else node.tls_port,
                )
                for node in nodes
            ]
        )

    # -- To hear ---------------------------------------------------------------------------------

    def take(self, gossip: Gossip, sender: ClusterNode | None) -> None:
        """Heed what a node has told; one that is not known is heeded less."""
        view = self._view
        nodes = view.nodes_by_wire_id
        skew, now, myself = view.skew, view.now, view.myself
        latest = now + skew + _TOLERANCE
        is_voter = sender is not None and sender.is_primary
        for id, _, pong, ip, port, bus_port, flags, other in ENTRY.iter_unpack(gossip.entries):
            node = nodes.get(id)
            if node is None:
                if sender is not None:
                    self._add(id, ip, (port, bus_port, other), flags)
                continue
            failed = flags & FAILURE
            if (failed or node.reports) and is_voter and node is not myself:
                self._detection.heed(sender, node, bool(failed))
            if not failed:
                # Who has answered somebody need not be asked so soon.
                pong *= 1000
                if (
                    node.pong_received < pong - skew
                    and pong <= latest
                    and not node.ping_sent
                    and not self._detection.count_reports(node)
                ):
                    node.pong_received = pong - skew
                if flags & NO_ADDRESS:
                    continue
                # Two nodes that have exchanged their addresses have none of each other any more.
                is_lost = node.flags & NO_ADDRESS and sender is not None
                if is_lost or node.flags & FAILURE:
                    self._move(node, ip, (port, bus_port, other))

    def _add(self, id: bytes, ip: bytes, ports: tuple[int, int, int], flags: int) -> None:
        """Know a node that somebody who is known tells of, unless it is forgotten on purpose."""
        view = self._view
        if flags & NO_ADDRESS or not is_wire_id(id):
            return
        text = id.decode()
        if view.forgotten.holds(text, view.now):
            return
        try:
            address = address_text(ip)
        except BusError:
            return
        node = view.create(text, flags & TOLD)
        self._locate(node, address, ports)

    def _move(self, node: ClusterNode, ip: bytes, ports: tuple[int, int, int]) -> None:
        """Look for a node that does not answer where somebody has found it."""
        try:
            address = address_text(ip)
        except BusError:
            return
        here = node.ip.lower(), self._main_port(node), node.bus_port
        if here == (address.lower(), ports[0], ports[1]):
            return
        if node.link is not None:
            node.link.close()
        self._locate(node, address, ports)
        node.flags &= ~NO_ADDRESS
        if self._view.myself.primary is node:
            # When it tells us itself, that is no news any more.
            self._membership.follow(node)

    def _main_port(self, node: ClusterNode) -> int:
        return node.tls_port if self._membership.settings.tls_cluster else node.tcp_port

    def _locate(self, node: ClusterNode, ip: str, ports: tuple[int, int, int]) -> None:
        node.ip = ip
        port, node.bus_port, other = ports
        if self._membership.settings.tls_cluster:
            node.tls_port, node.tcp_port = port, other
        else:
            node.tcp_port, node.tls_port = port, other
