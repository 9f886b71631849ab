"""Nodes as lines of text: what CLUSTER NODES and CLUSTER REPLICAS show, and their file has."""

from __future__ import annotations

from functools import lru_cache

from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_flags import HANDSHAKE, flag_words
from carnelian.cluster.known.slot_bitmap import ranges_of


def nodes_text(view: ClusterView, tls_port: bool) -> str:
    """What CLUSTER NODES shows, with the ports for TLS or the others. O(n) in nodes and slots"""
    return "".join([f"{node_line(view, node, tls_port)}\n" for node in view.nodes.values()])


def saved_text(view: ClusterView, tls_cluster: bool) -> str:
    """What the file of the nodes has of them; those in handshake are not worth it."""
    lines = []
    for node in view.nodes.values():
        if not node.flags & HANDSHAKE:
            lines.append(f"{_line(view, node, _saved_address(node, tls_cluster))}\n")
    return "".join(lines)


def node_line(view: ClusterView, node: ClusterNode, tls_port: bool) -> str:
    """A line of CLUSTER NODES, without its end."""
    address = f"{node.ip}:{node.client_port(tls_port)}@{node.bus_port}"
    if node.hostname:
        address += f",{node.hostname}"
    return _line(view, node, address)


@lru_cache(1024)
def slot_words(slots: bytes) -> str:
    """The slots of a bitmap as numbers and ranges."""
    return " ".join(
        [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges_of(slots)]
    )


def _saved_address(node: ClusterNode, tls_cluster: bool) -> str:
    """The address with what Redis 7.2 adds to it; the port that the bus's kind has stands first."""
    if tls_cluster:
        port, other = node.tls_port, f"tcp-port={node.tcp_port}"
    else:
        port, other = node.tcp_port, f"tls-port={node.tls_port}"
    name = f",nodename={node.human_name}" if node.human_name else ""
    return (
        f"{node.ip}:{port}@{node.bus_port},{node.hostname},{other}{name},shard-id={node.shard_id}"
    )


def _line(view: ClusterView, node: ClusterNode, address: str) -> str:
    primary = node.primary
    skew = view.skew
    words = [
        node.id,
        address,
        flag_words(node.flags),
        primary.id if primary else "-",
        str(node.ping_sent + skew if node.ping_sent else 0),
        str(node.pong_received + skew if node.pong_received else 0),
        str(node.leader.config_epoch),
        "connected" if node.is_connected else "disconnected",
    ]
    if node.slot_count:
        words.append(slot_words(node.slots))
    if node.is_myself:
        words += _open_slots(view)
    return " ".join(words)


def _open_slots(view: ClusterView) -> list[str]:
    """Slots on their way; a slot cannot be on its way in both directions."""
    if not view.migrating_to and not view.importing_from:
        return []
    slots = sorted({*view.migrating_to, *view.importing_from})
    return [open_slot_word(view, slot) for slot in slots]


def open_slot_word(view: ClusterView, slot: int) -> str:
    """A slot that is on its way; "" for one that is not."""
    if slot in view.migrating_to:
        return f"[{slot}->-{view.migrating_to[slot].id}]"
    if slot in view.importing_from:
        return f"[{slot}-<-{view.importing_from[slot].id}]"
    return ""
