"""Nodes of a cluster in a simulated network, and a whole cluster of them with clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

from carnelian.cluster.bus.bus_link import BusLink
from carnelian.cluster.cluster_member import ClusterMember
from carnelian.cluster.known.cluster_node import ClusterNode
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_flags import FAILURE, HANDSHAKE
from carnelian.keyspace.clock import ManualClock
from carnelian.net.protocol import Address
from carnelian.net.simulated import Network, Node

from .simulated_data import DATA_PORT, DataServer

BUS_PORT = DATA_PORT + 10000
SLOTS = 16384
# Milliseconds; short, so that much happens in a history.
NODE_TIMEOUT = 2000


class NodeClock:
    """A clock whose time of day may be wrong; how much passes is not."""

    def __init__(self, clock: ManualClock):
        self._clock = clock
        self.error_us = 0

    def wall_us(self) -> int:
        return self._clock.wall_us() + self.error_us

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()


class Settings:
    """The configuration of a simulated node: the default of everything but the timeout."""

    def __init__(self, name: str):
        self.node_timeout = NODE_TIMEOUT
        self.replica_validity_factor = 10
        self.migration_barrier = 1
        self.allow_replica_migration = True
        self.replica_no_failover = False
        self.require_full_coverage = True
        self.link_sendbuf_limit = 0
        self.repl_ping_period = 10
        self.bind_addresses = [name]
        self.tcp_port = DATA_PORT
        self.tls_port = 0
        self.bus_port = 0
        self.tls_cluster = False
        self.tls_replication = False
        self.announce_ip = ""
        self.announce_port = 0
        self.announce_tls_port = 0
        self.announce_bus_port = 0
        self.announce_hostname = ""
        self.announce_human_nodename = ""


class Happening(NamedTuple):
    """Something that a node has told of: when in milliseconds, who, and what."""

    time: int
    node: str
    text: str


class Election(NamedTuple):
    """A replica has become a primary."""

    time: int
    node: str
    epoch: int
    # Milliseconds since it has last heard of its primary; None if never.
    age: int | None
    manual: bool


class SimulatedMember:
    """A node with what is around it. A Surroundings."""

    def __init__(
        self,
        node: Node,
        cluster: SimulatedCluster | None = None,
        settings: dict[str, object] | None = None,
    ):
        self.node = node
        self.cluster = cluster
        self.settings = Settings(node.name)
        for name, value in (settings or {}).items():
            setattr(self.settings, name, value)
        self.is_loading = False
        self.logged: list[Happening] = []
        self.delivered: list[tuple[bytes, bytes, bool]] = []
        self.paused_until = 0
        self.disk_is_full = False
        self.gave_up = ""
        self.other_databases = False
        self.data = DataServer(node, self._may_lead)
        self.clock = NodeClock(node.network.clock)
        self.clock.error_us = node.disk.setdefault("clock error", 0)
        node.clock = self.clock  # type: ignore[assignment]
        self.member = ClusterMember(node, self.settings, self, self._file())
        if cluster is not None:
            cluster.members[node.name] = self
            self.member._keeper._receive = self._receive
        self.member.start()
        self.member.data_loaded()

    def _may_lead(self) -> bool:
        return self.member.myself.is_primary

    def _receive(self, link: BusLink, data: bytes) -> None:
        assert self.cluster is not None
        if self.cluster.on_message is not None:
            self.cluster.on_message(link.wire.peer[0], self.node.name, data)
        self.member._receiver.take(link, data)

    @property
    def view(self) -> ClusterView:
        return self.member.view

    @property
    def myself(self) -> ClusterNode:
        return self.member.myself

    @property
    def id(self) -> str:
        return self.member.myself.id

    @property
    def now(self) -> int:
        """Milliseconds."""
        return self.node.network.now // 1000

    def texts(self, part: str) -> list[str]:
        """Lines of log with something in them."""
        return [each.text for each in self.logged if part in each.text]

    # -- The disk --------------------------------------------------------------------------------

    def _file(self) -> bytes | None:
        return self.node.disk.get("nodes")

    def save(self, text: bytes, durable: bool) -> None:
        if self.disk_is_full:
            raise OSError(28, "No space left on device")
        disk = self.node.disk
        disk["nodes"] = text
        # What a loss of power may leave: this, or any since the last that was waited for.
        older = [] if durable else disk.get("perhaps", [])
        disk["perhaps"] = [*older[-8:], text]

    def append(self, text: bytes) -> None:
        self.save(self.node.disk["nodes"] + text, False)

    def give_up(self, text: str) -> None:
        self.gave_up = text
        self.node.network.crash(self.node.name)

    # -- The rest of Surroundings ----------------------------------------------------------------

    def log(self, level: str, text: str) -> None:
        self.logged.append(Happening(self.now, self.node.name, text))
        if self.cluster is None:
            return
        if text.startswith("Failover auth granted"):
            self.cluster.votes.append((self.node.name, int(text.split()[-1]), text.split()[4]))
            if self.cluster.on_vote is not None:
                self.cluster.on_vote(self.node.name)
        if text.startswith("Failover election won"):
            epoch = self.member._election.epoch
            manual = bool(self.member.membership.manual)
            self.cluster.elections.append(
                Election(self.now, self.node.name, epoch, self.data.age(), manual)
            )

    def has_keys(self) -> bool:
        return any(self.data.writes.values())

    def has_other_databases(self) -> bool:
        return self.other_databases

    def count_keys(self, slot: int) -> int:
        return self.data.count(slot)

    def slots_lost(self, slots: list[int]) -> None:
        for slot in slots:
            self.data.drop(slot)

    def flush(self) -> None:
        self.data.flush()

    def follow(self, host: str, port: int, anew: bool) -> None:
        self.began_anew = anew
        self.data.follow((host, port))

    def lead(self) -> None:
        self.data.lead()

    def followed(self) -> Address | None:
        return self.data.address

    def offset(self) -> int:
        return self.data.offset

    def data_age(self) -> int | None:
        return self.data.age()

    def pause_writes(self, milliseconds: int) -> None:
        self.paused_until = self.now + milliseconds

    def resume_writes(self) -> None:
        self.paused_until = 0

    def deliver(self, channel: bytes, message: bytes, sharded: bool) -> None:
        self.delivered.append((channel, message, sharded))

    # -- Clients ---------------------------------------------------------------------------------

    def serves(self, slot: int) -> bool:
        """Whether a client that writes to a slot gets an answer here."""
        return (
            self.node.is_up
            and self.myself.is_primary
            and self.view.owners[slot] is self.myself
            and self.view.is_ok
            and self.paused_until <= self.now
        )


class SimulatedCluster:
    """Nodes ``10.0.0.1``, ``10.0.0.2``..., of which the first are primaries.

    Args:
        replicas: of each primary.
        settings: attributes of :class:`Settings` to be set at every node.
    """

    def __init__(
        self,
        seed: int = 1,
        primaries: int = 3,
        replicas: int = 1,
        settings: dict[str, object] | None = None,
        network: Network | None = None,
    ):
        self.network = network or Network(seed, ManualClock(), pieces=1, traced=False)
        self.random = Random(f"cluster {seed}")
        self.members: dict[str, SimulatedMember] = {}
        self.elections: list[Election] = []
        # Who has voted, in which epoch, and for whom.
        self.votes: list[tuple[str, int, str]] = []
        # When a slot has last moved, in milliseconds.
        self.moved: dict[int, int] = {}
        # Told of each message that comes: from whom, to whom, and its bytes.
        self.on_message: Callable[[str, str, bytes], object] | None = None
        # Told of each vote: who has given it.
        self.on_vote: Callable[[str], object] | None = None
        count = primaries * (1 + replicas)
        self.names = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(count)]
        for name in self.names:
            self.network.node(name, lambda node: SimulatedMember(node, self, settings))
        self.primaries = self.names[:primaries]

    # -- Making it -------------------------------------------------------------------------------

    def form(self) -> None:
        """Let all meet, have all slots, and follow whom they should; all of it on the disks."""
        count = len(self.primaries)
        for number, name in enumerate(self.names):
            self[name].member.set_config_epoch(number + 1)
        for number, name in enumerate(self.primaries):
            first, last = number * SLOTS // count, (number + 1) * SLOTS // count
            self[name].member.add_slots(range(first, last))
        for name in self.names[1:]:
            self[name].member.meet(self.names[0], DATA_PORT)
        self.network.run_until(self._all_met, 60 + len(self.names))
        for number, name in enumerate(self.names[count:]):
            self[name].member.replicate(self[self.primaries[number % count]].id)
        self.network.run_until(self.is_settled, 60)
        for member in self.members.values():
            member.member.save_config()

    def _all_met(self) -> bool:
        return all(
            len(each.view.nodes) == len(self.names)
            and not any(node.flags & HANDSHAKE for node in each.view.nodes.values())
            for each in self.members.values()
        )

    def __getitem__(self, name: str) -> SimulatedMember:
        return self.members[name]

    def by_id(self, id: str) -> SimulatedMember:
        return next(each for each in self.members.values() if each.id == id)

    # -- Looking at it ---------------------------------------------------------------------------

    @property
    def up(self) -> list[SimulatedMember]:
        return [each for each in self.members.values() if each.node.is_up]

    def disagreement(self) -> str:
        """What keeps those that run from agreeing that all is well, "" if nothing does."""
        first: tuple | None = None
        for each in self.up:
            name = each.node.name
            if not each.view.is_ok:
                return f"{name}: {each.view.why_not_ok}"
            for node in each.view.nodes.values():
                if node.flags & (FAILURE | HANDSHAKE):
                    return f"{name} takes {node.ip} for {node!r}"
            if each.myself.is_replica and not self._follows_well(each):
                return f"{name} does not follow its primary"
            if not self._epochs_differ(each):
                return f"{name} knows two primaries with one epoch"
            picture = self._picture(each)
            if first is None:
                first = picture
                who = name
            elif picture != first:
                return f"{name} and {who} see different clusters"
        return ""

    @staticmethod
    def _follows_well(each: SimulatedMember) -> bool:
        primary = each.myself.primary
        return (
            primary is not None
            and primary.is_primary
            and each.data.link is not None
            and each.data.address == (primary.ip, DATA_PORT)
            and each.data.last_heard is not None
        )

    @staticmethod
    def _epochs_differ(each: SimulatedMember) -> bool:
        epochs = [node.config_epoch for node in each.view.nodes.values() if node.slot_count]
        return len(set(epochs)) == len(epochs)

    @staticmethod
    def _picture(each: SimulatedMember) -> tuple:
        owners = each.view.owners
        nodes = sorted(each.view.nodes.values(), key=lambda node: node.id)
        return (
            [(node.id, node.leader.id, node.is_primary) for node in nodes],
            [node.id if node else None for node in owners[::16]],
            [(node.id, node.config_epoch, node.slots) for node in nodes if node.slot_count],
        )

    def is_settled(self) -> bool:
        """Whether all agree that all is well."""
        return not self.disagreement()

    def settle(self, seconds: float) -> float:
        """Until all agree; the seconds that it took. Raises SimulationError."""
        begun = self.network.now
        for _ in range(round(seconds * 4)):
            if self.is_settled():
                break
            self.network.run(0.25)
        else:
            self.network.run_until(self.is_settled, 0)
        return (self.network.now - begun) / 1e6

    def run(self, seconds: float) -> None:
        self.network.run(seconds)

    def crash(self, names: Iterable[str], silently: bool = False) -> None:
        for name in names:
            self.network.crash(name, silently)
