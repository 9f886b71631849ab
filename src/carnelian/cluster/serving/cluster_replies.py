"""What CLUSTER replies with that tells of nodes and slots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.node_lines import node_line, nodes_text
from carnelian.cluster.known.slot_bitmap import ranges_of
from carnelian.resp.replies import FlatMap

if TYPE_CHECKING:
    from carnelian.cluster.cluster_member import ClusterMember
    from carnelian.cluster.known.cluster_node import ClusterNode
    from carnelian.cluster.known.cluster_view import ClusterView
    from carnelian.cluster.member.member_surroundings import Surroundings
    from carnelian.cluster.serving.redirections import Refusals
    from carnelian.engine.config import Config
    from carnelian.engine.shared.client_state import Client


class ClusterReplies:
    """Tells clients what a node knows.

    Args:
        names: how nodes are named to clients.
    """

    def __init__(
        self, member: ClusterMember, around: Surroundings, config: Config, names: Refusals
    ):
        self._member = member
        self._around = around
        self._config = config
        self._names = names
        # What else CLUSTER INFO shows.
        self.more: Callable[[], list[tuple[str, int]]] = list

    @property
    def _view(self) -> ClusterView:
        return self._member.view

    # -- Texts -------------------------------------------------------------------------------------

    def nodes(self, session: Client) -> bytes:
        """CLUSTER NODES."""
        return nodes_text(self._view, self._names.sees_tls(session)).encode()

    def replicas(self, session: Client, id: str) -> list[bytes]:
        """CLUSTER REPLICAS. Raises ClusterError if there is no such primary."""
        node = self._member.node(id)
        if node.is_replica:
            raise ClusterError("The specified node is not a master")
        tls = self._names.sees_tls(session)
        return [node_line(self._view, replica, tls).encode() for replica in node.replicas]

    def info(self) -> bytes:
        """CLUSTER INFO."""
        view = self._view
        assigned = failed = suspected = 0
        for node in view.nodes.values():
            assigned += node.slot_count
            if node.has_failed:
                failed += node.slot_count
            elif node.is_suspected:
                suspected += node.slot_count
        fields: list[tuple[str, object]] = [
            ("cluster_state", "ok" if view.is_ok else "fail"),
            ("cluster_slots_assigned", assigned),
            ("cluster_slots_ok", assigned - failed - suspected),
            ("cluster_slots_pfail", suspected),
            ("cluster_slots_fail", failed),
            ("cluster_known_nodes", len(view.nodes)),
            ("cluster_size", view.size),
            ("cluster_current_epoch", view.current_epoch),
            ("cluster_my_epoch", view.myself.leader.config_epoch),
        ]
        counted = view.statistics
        for verb, counts in (
            ("sent", list(counted.sent_by_word())),
            ("received", list(counted.received_by_word())),
        ):
            fields += [(f"cluster_stats_messages_{word}_{verb}", count) for word, count in counts]
            total = sum([count for _, count in counts])
            fields.append((f"cluster_stats_messages_{verb}", total))
        fields.append(("total_cluster_links_buffer_limit_exceeded", counted.links_over_limit))
        fields += self.more()
        return "".join([f"{name}:{value}\r\n" for name, value in fields]).encode()

    # -- Structures --------------------------------------------------------------------------------

    def links(self) -> list[FlatMap]:
        """CLUSTER LINKS."""
        return [
            FlatMap(
                [
                    b"direction", b"from" if link.is_inbound else b"to",
                    b"node", node.id.encode(),
                    b"create-time", link.created,
                    b"events", b"rw" if link.is_writing else b"r",
                    b"send-buffer-allocated", link.memory,
                    b"send-buffer-used", link.unsent,
                ]
            )
            for node, link in self._member.links()
        ]  # fmt: skip

    def slots(self, session: Client) -> list[list]:
        """CLUSTER SLOTS: ranges in order, each with its primary and the replicas that have data."""
        owners = self._view.owners
        described: dict[ClusterNode, list] = {}
        rows: list[list] = []
        first = 0
        while first < len(owners):
            owner, last = owners[first], first
            while last + 1 < len(owners) and owners[last + 1] is owner:
                last += 1
            if owner is not None:
                if owner not in described:
                    described[owner] = self._served_by(session, owner)
                rows.append([first, last, *described[owner]])
            first = last + 1
        return rows

    def _served_by(self, session: Client, owner: ClusterNode) -> list[list]:
        ready = [node for node in owner.replicas if self._has_data(node)]
        return [self._place(session, node) for node in (owner, *ready)]

    def _has_data(self, node: ClusterNode) -> bool:
        return not node.has_failed and self._offset(node) != 0

    def _offset(self, node: ClusterNode) -> int:
        return self._around.offset() if node.is_myself else node.repl_offset

    def _place(self, session: Client, node: ClusterNode) -> list[object]:
        """Where a node is, by the name that clients are to use, and by what other names."""
        preferred = self._config["cluster-preferred-endpoint-type"]
        others = FlatMap()
        if preferred != "ip":
            others += [b"ip", node.ip.encode()]
        if preferred != "hostname" and node.hostname:
            others += [b"hostname", node.hostname.encode()]
        unknown = preferred == "unknown-endpoint"
        endpoint = None if unknown else self._names.endpoint(node).encode()
        port = node.client_port(self._names.sees_tls(session))
        return [endpoint, port, node.id.encode(), others]

    def shards(self) -> list[FlatMap]:
        """CLUSTER SHARDS: all that serve the same slots, even those that have failed."""
        shards: dict[str, list[ClusterNode]] = {}
        for node in self._view.nodes.values():
            if not node.in_handshake:
                shards.setdefault(node.shard_id, []).append(node)
        return [self._shard(nodes) for nodes in shards.values()]

    def _shard(self, nodes: list[ClusterNode]) -> FlatMap:
        owner = max((node.leader for node in nodes), key=lambda node: node.slot_count)
        ends = [end for pair in ranges_of(owner.slots) for end in pair]
        described = [self._described(node) for node in nodes]
        return FlatMap([b"slots", ends, b"nodes", described])

    def _described(self, node: ClusterNode) -> FlatMap:
        fields: list[object] = [b"id", node.id.encode()]
        if node.tcp_port:
            fields += [b"port", node.tcp_port]
        if node.tls_port:
            fields += [b"tls-port", node.tls_port]
        fields += [b"ip", node.ip.encode(), b"endpoint", self._names.endpoint(node).encode()]
        if node.hostname:
            fields += [b"hostname", node.hostname.encode()]
        offset = self._offset(node)
        health = b"online"
        if node.has_failed:
            health = b"fail"
        elif node.is_replica and offset == 0:
            health = b"loading"
        return FlatMap(
            [
                *fields,
                b"role", b"replica" if node.is_replica else b"master",
                b"replication-offset", offset,
                b"health", health,
            ]
        )  # fmt: skip
