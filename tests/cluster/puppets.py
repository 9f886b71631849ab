"""Nodes that say what a test wants them to say, and remember what they have heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from carnelian.cluster.bus.bus_codec import decode, encode, message_length, pack_entry
from carnelian.cluster.bus.bus_messages import Body, BusMessage, Extensions, Gossip, GossipEntry
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_flags import PRIMARY, REPLICA
from carnelian.cluster.known.slot_bitmap import bitmap_of, mask_of_slots
from carnelian.keyspace.clock import ManualClock
from carnelian.net.protocol import Wire
from carnelian.net.simulated import Network, Node

from .simulated_cluster import BUS_PORT, SimulatedMember
from .simulated_data import DATA_PORT


class Puppet:
    """A node that answers pings with a PONG, as long as ``answers``.

    Args:
        state: what stands in the headers of its messages.
    """

    def __init__(self, scene: Scene, name: str, id: str, **state: object):
        self.scene = scene
        self.name = name
        self.id = (id * 40)[:40]
        self.state: dict[str, object] = {"flags": PRIMARY, **state}
        self.answers = True
        self.extensions: Extensions | None = None
        self.gossip: list[GossipEntry] = []
        self.received: list[Any] = []
        self.wire: Wire | None = None
        self.node = scene.network.node(name)
        self.node.listen((name, BUS_PORT), lambda: _Talk(self))

    # -- What it is ------------------------------------------------------------------------------

    def own(self, slots: Iterable[int], epoch: int) -> None:
        """Claim slots with an epoch."""
        self.state.update(slots=bitmap_of(mask_of_slots(slots)), config_epoch=epoch)
        self.see_epoch(epoch)

    def see_epoch(self, epoch: int) -> None:
        """Be in an epoch."""
        current = self.state.get("current_epoch", 0)
        assert isinstance(current, int)
        self.state["current_epoch"] = max(current, epoch)

    def follow(self, other: Puppet | SimulatedMember) -> None:
        """Be a replica, with the slots and the epoch of the primary in its messages."""
        self.state.update(primary=other.id.encode(), flags=REPLICA)
        if isinstance(other, Puppet):
            for name in ("slots", "config_epoch"):
                self.state[name] = other.state[name]
        else:
            self.state.update(slots=other.myself.slots, config_epoch=other.myself.config_epoch)

    def lead(self) -> None:
        """Be a primary."""
        self.state.update(primary=b"", flags=PRIMARY)

    def tell_of(self, other: Puppet, flags: int) -> None:
        """Gossip of another node."""
        now = int(self.scene.network.clock.wall_us() // 1_000_000)
        entry = GossipEntry(other.id.encode(), 0, now, other.name, DATA_PORT, BUS_PORT, flags, 0)
        self.gossip = [each for each in self.gossip if each.id != entry.id] + [entry]

    # -- What it says ----------------------------------------------------------------------------

    def message(self, kind: int, body: Body | None = None, **changes: Any) -> bytes:
        base = BusMessage(kind, self.id.encode(), port=DATA_PORT, bus_port=BUS_PORT, body=body)
        return encode(replace(base, **{**self.state, **changes}))  # type: ignore[arg-type]

    def gossip_body(self) -> Gossip:
        return Gossip(b"".join(map(pack_entry, self.gossip)), self.extensions)

    def say(self, kind: int, body: Body | None = None, **changes: Any) -> None:
        """Send a message to the node that is looked at, and let it arrive."""
        if body is None and kind in (types.PING, types.PONG, types.MEET):
            body = self.gossip_body()
        if self.wire is None:
            self.node.connect((self.scene.member.node.name, BUS_PORT), _Talk(self, True))
            self.scene.run(0.05)
        assert self.wire is not None
        self.wire.send(self.message(kind, body, **changes))
        self.scene.run(0.02)

    def heard(self, kind: int) -> list[Any]:
        """The messages of a type that it has got."""
        return [message for message in self.received if message.type == kind]


class _Talk:
    """A connection of a puppet."""

    def __init__(self, puppet: Puppet, is_own: bool = False):
        self.puppet = puppet
        self.is_own = is_own
        self.wire: Wire | None = None
        self.data = b""

    def connected(self, wire: Wire) -> None:
        self.wire = wire
        if self.is_own:
            self.puppet.wire = wire

    def receive(self, data: bytes) -> None:
        self.data += data
        while len(self.data) >= 8 and len(self.data) >= (length := message_length(self.data[:8])):
            message, self.data = decode(self.data[:length]), self.data[length:]
            puppet = self.puppet
            puppet.received.append(message)
            if message.type in (types.PING, types.MEET) and puppet.answers:
                assert self.wire is not None
                self.wire.send(puppet.message(types.PONG, puppet.gossip_body()))

    def lost(self, reason: str) -> None:
        if self.is_own:
            self.puppet.wire = None


class Scene:
    """One node that is looked at, ``10.0.0.1``, and puppets around it.

    Args:
        settings: attributes of the node's configuration.
    """

    def __init__(self, **settings: object):
        self.network = Network(7, ManualClock(), pieces=2, traced=False)
        self._settings = settings
        self.network.node("10.0.0.1", self._boot)
        self.puppets: list[Puppet] = []

    def _boot(self, node: Node) -> None:
        node.disk.setdefault("settings", self._settings)
        self.member = SimulatedMember(node, None, node.disk["settings"])

    @property
    def view(self) -> ClusterView:
        return self.member.view

    def puppet(self, id: str, slots: Iterable[int] = (), epoch: int = 0) -> Puppet:
        """A new one, which both know of."""
        number = len(self.puppets) + 2
        puppet = Puppet(self, f"10.0.0.{number}", id)
        puppet.own(slots, epoch)
        self.puppets.append(puppet)
        self.member.member.meet(puppet.name, DATA_PORT)
        self.network.run_until(lambda: puppet.id in self.view.nodes, 5)
        # What it has said while it was not known is said again.
        puppet.say(types.PING)
        return puppet

    def node(self, puppet: Puppet) -> ClusterNode:
        """A puppet as the node sees it."""
        return self.view.nodes[puppet.id]

    def run(self, seconds: float) -> None:
        self.network.run(seconds)
