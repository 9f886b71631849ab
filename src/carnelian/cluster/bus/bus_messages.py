"""The messages of the bus between nodes, as what they mean.

All begin with the same header, in which the sender tells of itself; what follows depends on the
type (:mod:`carnelian.cluster.known.bus_statistics` has their numbers). IDs are 40 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from carnelian.cluster.known.slot_bitmap import NO_SLOTS

# Flags of a message: a primary has paused its clients for a manual failover; primaries are to vote
# though the primary works; there are extensions behind the gossip, or the sender knows of them.
PAUSED = 1
FORCE_ACK = 2
EXTENSION_DATA = 4

# How the cluster is, for the sender.
STATE_OK = 0
STATE_FAIL = 1


class GossipEntry(NamedTuple):
    """What the sender tells of another node; times in seconds since 1970."""

    id: bytes
    ping_sent: int
    pong_received: int
    ip: str
    port: int
    bus_port: int
    flags: int
    # The port without TLS where the other one is that with TLS, or the other way round.
    other_port: int


@dataclass(slots=True)
class Extensions:
    """What stands behind the gossip, each if it is there."""

    hostname: str = ""
    human_name: str = ""
    # Pairs of an ID and the seconds that its node is not to be taken back.
    forgotten: list[tuple[str, int]] = field(default_factory=list)
    shard_id: str = ""
    secret: bytes = b""
    # Numbers of those that are not known here.
    unknown: list[int] = field(default_factory=list)

    @property
    def are_modern(self) -> bool:
        """Whether they are those of a node that knows more of them than the host name."""
        return bool(self.human_name or self.forgotten or self.shard_id or self.secret)


@dataclass(slots=True)
class Gossip:
    """Of a PING, PONG or MEET: entries of other nodes in their bytes
    (:func:`carnelian.cluster.bus.bus_codec.entries_of`), and extensions, None if there are none.
    """

    entries: bytes = b""
    extensions: Extensions | None = None


@dataclass(slots=True)
class Failure:
    """Of a FAIL: who has failed."""

    id: bytes


@dataclass(slots=True)
class Publication:
    """Of a PUBLISH or PUBLISHSHARD."""

    channel: bytes
    message: bytes


@dataclass(slots=True)
class Claim:
    """Of an UPDATE: which slots a node has, and since which epoch."""

    id: bytes
    config_epoch: int
    slots: bytes


@dataclass(slots=True)
class ModuleData:
    """Of a MODULE: what modules tell each other."""

    module_id: int
    kind: int
    payload: bytes


Body = Gossip | Failure | Publication | Claim | ModuleData


@dataclass(slots=True)
class BusMessage:
    """A message: the header, and what follows it."""

    type: int
    sender: bytes
    current_epoch: int = 0
    # The epoch and the slots of the sender, or of its primary if it is a replica.
    config_epoch: int = 0
    slots: bytes = NO_SLOTS
    # Bytes of the stream of replication that the sender has written or processed.
    offset: int = 0
    # The ID of the sender's primary, or b"".
    primary: bytes = b""
    # Where the sender says it is; "" is where its connection comes from.
    ip: str = ""
    port: int = 0
    other_port: int = 0
    bus_port: int = 0
    flags: int = 0
    state: int = STATE_OK
    message_flags: int = 0
    body: Body | None = None
