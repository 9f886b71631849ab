"""How nodes get to know each other, and where they are."""

from __future__ import annotations

import ipaddress

from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.bus.bus_messages import BusMessage
from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.node_flags import HANDSHAKE, MEET, NO_ADDRESS, ROLE
from carnelian.cluster.member.membership import Membership

_MOST_PORT = 65535


class Handshakes:
    """Nodes have a random ID until they have told their own."""

    def __init__(self, membership: Membership):
        self._membership = membership
        self._view = membership.view

    # -- Beginning -------------------------------------------------------------------------------

    def begin(self, ip: str, port: int, bus_port: int) -> None:
        """Get to know who is at an address, unless that is under way.

        Raises ClusterError if it is no address.
        """
        try:
            address = str(ipaddress.ip_address(ip))
        except ValueError:
            raise ClusterError(f"Invalid node address specified: {ip}:{port}") from None
        if not 0 < port <= _MOST_PORT or not 0 < bus_port <= _MOST_PORT:
            raise ClusterError(f"Invalid node address specified: {ip}:{port}")
        if self._is_under_way(address, port, bus_port):
            return
        node = self._view.create(None, HANDSHAKE | MEET)
        node.ip, node.bus_port = address, bus_port
        if self._membership.settings.tls_cluster:
            node.tls_port = port
        else:
            node.tcp_port = port

    def _is_under_way(self, ip: str, port: int, bus_port: int) -> bool:
        for node in self._view.nodes.values():
            if node.in_handshake and node.ip.lower() == ip.lower() and node.bus_port == bus_port:
                tls = self._membership.settings.tls_cluster
                if port == (node.tls_port if tls else node.tcp_port):
                    return True
        return False

    def met(self, link: BusLink, message: BusMessage) -> None:
        """A node that is not known wants to be: find out who it is, on a connection of ours."""
        node = self._view.create(None, HANDSHAKE)
        self._locate(node, link, message)
        self._membership.soon_save()

    # -- Ending ----------------------------------------------------------------------------------

    def complete(self, link: BusLink, sender: ClusterNode | None, message: BusMessage) -> bool:
        """A node has answered on a connection of ours: whether it is whom we took it for, or is
        known now. If not, the connection has ended.
        """
        node = link.node
        assert node is not None
        if node.in_handshake:
            return self._end_handshake(node, link, sender, message)
        if node.wire_id == message.sender:
            return True
        # Somebody else has its address.
        self._membership.around.log(
            "debug", f"At the address of node {node.id} is {message.sender.decode()} instead"
        )
        node.flags |= NO_ADDRESS
        node.ip = ""
        node.tcp_port = node.tls_port = node.bus_port = 0
        link.close()
        self._membership.soon_save()
        return False

    def _end_handshake(
        self, node: ClusterNode, link: BusLink, sender: ClusterNode | None, message: BusMessage
    ) -> bool:
        if sender is not None:
            # We know it already, perhaps from another address.
            if self.relocate(sender, link, message):
                self._membership.soon_update()
            self._view.remove(node)
            return False
        self._view.rename(node, message.sender.decode())
        node.flags = node.flags & ~(HANDSHAKE | MEET) | message.flags & ROLE
        self._membership.soon_save()
        return True

    # -- Addresses -------------------------------------------------------------------------------

    def learn_own_address(self, link: BusLink) -> None:
        """Somebody reaches us at an address: it is ours, if we have not been told another."""
        if self._membership.settings.announce_ip:
            return
        try:
            ip = link.wire.address[0]
        except OSError:
            return
        myself = self._view.myself
        if ip != myself.ip:
            myself.ip = ip
            self._membership.around.log("notice", f"IP address for this node updated to {ip}")
            self._membership.soon_save()

    def relocate(self, node: ClusterNode, link: BusLink, message: BusMessage) -> bool:
        """A node says where it is, on a connection that it has made; whether that is news."""
        if link is node.link:
            return False
        old = node.ip, node.tcp_port, node.tls_port, node.bus_port
        self._locate(node, link, message)
        if (node.ip, node.tcp_port, node.tls_port, node.bus_port) == old:
            return False
        if node.link is not None:
            node.link.close()
        node.flags &= ~NO_ADDRESS
        port = node.client_port(self._membership.settings.tls_cluster)
        self._membership.around.log(
            "notice",
            f"Address updated for node {node.id} ({node.human_name}), now {node.ip}:{port}",
        )
        if self._view.myself.primary is node:
            self._membership.follow(node)
        return True

    def _locate(self, node: ClusterNode, link: BusLink, message: BusMessage) -> None:
        node.ip = message.ip or link.wire.peer[0]
        node.bus_port = message.bus_port
        if self._membership.settings.tls_cluster:
            node.tls_port, node.tcp_port = message.port, message.other_port
        else:
            node.tcp_port, node.tls_port = message.port, message.other_port
