"""A node of a cluster, as one of its nodes knows it."""

from __future__ import annotations

import re
from sys import intern
from typing import Protocol

from carnelian.cluster.known import node_flags
from carnelian.cluster.known.slot_bitmap import NO_SLOTS

ID_LENGTH = 40
# The bus is so many ports above that of clients unless somebody says otherwise.
BUS_PORT_DISTANCE = 10000

_ID = re.compile("[a-z0-9]{40}")


class NodeLink(Protocol):
    """A connection to or from a node."""

    # When it was made, in milliseconds.
    created: int
    is_inbound: bool

    @property
    def is_writing(self) -> bool:
        """Whether something waits to be sent."""

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""

    @property
    def memory(self) -> int:
        """Bytes that it takes."""

    def send(self, message: bytes) -> None:
        """Send a whole message."""

    def close(self) -> None:
        """End it; its node forgets it."""


def is_node_id(text: str) -> bool:
    """Whether a text can be the ID of a node or of a shard."""
    return _ID.fullmatch(text) is not None


class ClusterNode:
    """A node: who it is, where, what it does, and how it is. Times are those of the view
    (:attr:`ClusterView.now`), in milliseconds, 0 being never.

    Args:
        id: 40 lower-case letters and digits.
        flags: of :mod:`carnelian.cluster.known.node_flags`.
        now: the time.
    """

    __slots__ = (
        "bus_port",
        "config_epoch",
        "created",
        "data_received",
        "fail_time",
        "flags",
        "gossiped_in",
        "has_answered",
        "hostname",
        "human_name",
        "id",
        "inbound_link",
        "ip",
        "knows_extensions",
        "link",
        "orphaned_since",
        "ping_sent",
        "pong_received",
        "primary",
        "repl_offset",
        "repl_offset_time",
        "replicas",
        "reports",
        "shard_id",
        "slot_count",
        "slots",
        "tcp_port",
        "tls_port",
        "voted_time",
        "wire_id",
    )

    def __init__(self, id: str, flags: int, now: int, shard_id: str = ""):
        self.rename(id)
        # Nodes with the same one are a primary and its replicas; made up for those that tell none.
        self.shard_id = intern(shard_id)
        self.flags = flags
        self.created = now
        # Where it is reached; ports are 0 if there is none or it is not known.
        self.ip = ""
        self.tcp_port = 0
        self.tls_port = 0
        self.bus_port = 0
        # The names it gives itself, for clients and for people.
        self.hostname = ""
        self.human_name = ""
        # For a replica, that of its primary counts.
        self.config_epoch = 0
        # A bitmap (:mod:`carnelian.cluster.known.slot_bitmap`); changed by the view alone.
        self.slots: bytes = NO_SLOTS
        self.slot_count = 0
        # None for a primary, or for a replica of one that is not known.
        self.primary: ClusterNode | None = None
        self.replicas: list[ClusterNode] = []
        self.link: NodeLink | None = None
        self.inbound_link: NodeLink | None = None
        # When the ping was sent that has no pong yet, else 0; when the last pong came, or was said
        # to have come; when anything came.
        self.ping_sent = 0
        self.pong_received = 0
        self.data_received = 0
        # Whether a pong has come since our start.
        self.has_answered = False
        # When it was found to have failed.
        self.fail_time = 0
        # When we have last voted for one of its replicas.
        self.voted_time = 0
        # Since when it has had no replica that works.
        self.orphaned_since = 0
        self.repl_offset = 0
        self.repl_offset_time = 0
        # Primaries that have told that it does not answer them, and when they have last done so.
        self.reports: dict[ClusterNode, int] = {}
        # The number of the last message that has told of it.
        self.gossiped_in = 0
        # Whether it understands more extensions than that of the host name, as Redis 7.2 does.
        self.knows_extensions = False

    def __repr__(self) -> str:
        return f"<ClusterNode {self.id[:8]} {node_flags.flag_words(self.flags)}>"

    def rename(self, id: str) -> None:
        """Have another ID."""
        self.id = intern(id)
        # The ID as it stands in messages.
        self.wire_id = id.encode()

    @property
    def is_myself(self) -> bool:
        """Whether it is the node that knows all this."""
        return bool(self.flags & node_flags.MYSELF)

    @property
    def is_primary(self) -> bool:
        """Whether it is a primary."""
        return bool(self.flags & node_flags.PRIMARY)

    @property
    def is_replica(self) -> bool:
        """Whether it is a replica. A node in handshake is neither."""
        return bool(self.flags & node_flags.REPLICA)

    @property
    def is_suspected(self) -> bool:
        """Whether it does not answer us (``fail?``)."""
        return bool(self.flags & node_flags.PFAIL)

    @property
    def has_failed(self) -> bool:
        """Whether a majority has found that it does not answer (``fail``)."""
        return bool(self.flags & node_flags.FAIL)

    @property
    def in_handshake(self) -> bool:
        """Whether we have still to learn who it is."""
        return bool(self.flags & node_flags.HANDSHAKE)

    @property
    def has_address(self) -> bool:
        """Whether we know where it is."""
        return not self.flags & node_flags.NO_ADDRESS

    @property
    def cannot_fail_over(self) -> bool:
        """Whether it does not stand for its primary."""
        return bool(self.flags & node_flags.NO_FAILOVER)

    @property
    def leader(self) -> ClusterNode:
        """Its primary if that is known, or itself."""
        return self if self.primary is None or self.is_primary else self.primary

    @property
    def is_connected(self) -> bool:
        """What CLUSTER NODES calls connected."""
        return self.link is not None or self.is_myself

    def client_port(self, tls: bool) -> int:
        """Where clients reach it with TLS or without; the other port if there is none such."""
        if tls:
            return self.tls_port or self.tcp_port
        return self.tcp_port or self.tls_port

    def add_replica(self, replica: ClusterNode) -> None:
        """Count a node among the replicas."""
        if replica not in self.replicas:
            self.replicas.append(replica)
            self.flags |= node_flags.MIGRATE_TO

    def remove_replica(self, replica: ClusterNode) -> None:
        """Count it no more."""
        if replica in self.replicas:
            self.replicas.remove(replica)
            if not self.replicas:
                self.flags &= ~node_flags.MIGRATE_TO

    def count_working_replicas(self) -> int:
        """How many replicas have not failed."""
        return sum([not replica.flags & node_flags.FAIL for replica in self.replicas])
