"""A node of ours in a cluster of real ones: met, seen, heard, voting, failing over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.servers import ReferenceServer, StartRedis
from support.waiting import free_port

from .lone_member import HERE, LoneMember, LoneSettings

TIMEOUT = "2000"
# Slots of the three primaries: two real ones, and ours.
FIRST, SECOND, OURS = range(5000), range(5000, 10000), range(10000, 16384)


class RealNode:
    """A real node of a cluster."""

    def __init__(self, server: ReferenceServer, bus_port: int):
        self.server = server
        self.port = server.port
        self.bus_port = bus_port
        self.id = self("CLUSTER", "MYID").decode()

    def __call__(self, *words: object) -> Any:
        reply = self.server.call(*words)  # type: ignore[arg-type]
        assert not isinstance(reply, Exception), reply
        return reply

    def nodes(self) -> dict[str, list[str]]:
        """The words of each line of CLUSTER NODES by the ID."""
        lines = self("CLUSTER", "NODES").decode().splitlines()
        return {line.split()[0]: line.split() for line in lines}

    def is_ok(self) -> bool:
        return b"cluster_state:ok" in self("CLUSTER", "INFO")

    def meet(self, member: LoneMember) -> None:
        settings = member.settings
        self("CLUSTER", "MEET", HERE, settings.tcp_port, settings.bus_port)


@pytest.fixture
def real(start_redis: StartRedis) -> list[RealNode]:
    """Three real nodes that do not know each other."""
    nodes = []
    for _ in range(3):
        bus_port = free_port()
        server = start_redis(
            *("--cluster-enabled", "yes", "--cluster-node-timeout", TIMEOUT),
            *("--cluster-port", str(bus_port), "--save", "", "--repl-diskless-sync-delay", "0"),
            *("--appendonly", "no", "--repl-ping-replica-period", "1"),
        )
        nodes.append(RealNode(server, bus_port))
    return nodes


@pytest.fixture
def member() -> Iterator[LoneMember]:
    settings = LoneSettings(int(TIMEOUT))
    settings.announce_hostname = "node.example"
    lone = LoneMember(None, settings)
    yield lone
    lone.close()


def form(real: list[RealNode], member: LoneMember) -> None:
    """Two real primaries and ours; the third real node is a replica of the first."""
    first, second, third = real
    first("CLUSTER", "ADDSLOTSRANGE", FIRST[0], FIRST[-1])
    second("CLUSTER", "ADDSLOTSRANGE", SECOND[0], SECOND[-1])
    member.member.add_slots(OURS)
    for number, node in enumerate(real):
        node("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    member.member.set_config_epoch(4)
    # Ours is met by one, and meets the others.
    first.meet(member)
    for node in (second, third):
        member.member.meet(HERE, node.port, node.bus_port)
    everybody = {first.id, second.id, third.id, member.id}
    member.wait_for(
        lambda: (
            set(member.member.view.nodes) == everybody
            and all(set(node.nodes()) == everybody for node in real)
        )
    )
    third("CLUSTER", "REPLICATE", first.id)
    member.wait_for(
        lambda: (
            member.member.view.is_ok
            and all(node.is_ok() for node in real)
            and member.member.node(third.id).is_replica
            and third("ROLE")[3] == b"connected"
            and all(node.nodes()[third.id][3] == first.id for node in real)
        )
    )


def test_a_cluster_of_both(real: list[RealNode], member: LoneMember) -> None:
    first, second, third = real
    form(real, member)

    # Seen by the real ones, with its slots and its name.
    for node in real:
        line = node.nodes()[member.id]
        settings = member.settings
        assert line[1] == f"{HERE}:{settings.tcp_port}@{settings.bus_port},node.example"
        assert line[2:4] == ["master", "-"]
        assert line[6:9] == ["4", "connected", f"{OURS[0]}-{OURS[-1]}"]

    # And it sees them as they see each other.
    view = member.member.view
    for node in real:
        seen, line = view.nodes[node.id], second.nodes()[node.id]
        assert (seen.ip, seen.tcp_port, seen.bus_port) == (HERE, node.port, node.bus_port)
        assert seen.slot_count == {first.id: 5000, second.id: 5000, third.id: 0}[node.id]
        assert seen.leader.config_epoch == int(line[6])
    assert view.nodes[third.id].primary is view.nodes[first.id]

    # Messages go both ways.
    subscriber = second.server.connect()
    subscriber.send_command("SUBSCRIBE", "news")
    assert subscriber.read_response() == [b"subscribe", b"news", 1]
    member.member.publish(b"news", b"from ours")
    member.wait_for(lambda: subscriber.can_read(0))
    assert subscriber.read_response() == [b"message", b"news", b"from ours"]
    first("PUBLISH", "news", "from theirs")
    member.wait_for(lambda: member.delivered == [(b"news", b"from theirs", False)])

    # Ours votes: the replica has one more primary to ask only.
    first.server.process.kill()
    first.server.process.wait()
    member.wait_for(lambda: view.nodes[third.id].slot_count == 5000, 30)
    granted = [line for line in member.logged if line.startswith("Failover auth granted")]
    assert len(granted) == 1 and third.id in granted[0]
    member.wait_for(lambda: view.is_ok and third.is_ok() and second.is_ok())
    assert view.nodes[first.id].has_failed
    assert f"currentEpoch {view.current_epoch} lastVoteEpoch 5" in member.text.decode()


def test_a_replica_of_a_real_primary_replaces_it(real: list[RealNode], member: LoneMember) -> None:
    first, second, third = real
    for node, slots in ((first, FIRST), (second, SECOND), (third, OURS)):
        node("CLUSTER", "ADDSLOTSRANGE", slots[0], slots[-1])
        member.member.meet(HERE, node.port, node.bus_port)
    view = member.member.view
    member.wait_for(lambda: len(view.nodes) == 4 and view.is_ok and all(n.is_ok() for n in real))
    member.member.replicate(first.id)
    assert member.address == (HERE, first.port)
    member.wait_for(lambda: all(n.nodes()[member.id][3] == first.id for n in real))
    assert second("CLUSTER", "REPLICAS", first.id)[0].split()[0] == member.id.encode()

    # By hand and in agreement: the primary stops its clients and says how far it is.
    member.stream = 0
    member.member.failover()
    member.wait_for(lambda: member.member.myself.is_primary)
    member.wait_for(lambda: all(n.nodes()[member.id][2] == "master" for n in real))
    member.wait_for(lambda: first.nodes()[first.id][2:4] == ["myself,slave", member.id])
    assert member.address is None
    assert any("All master replication stream processed" in line for line in member.logged)

    # The other way round, without asking ours. Nobody votes for whom it takes for a primary.
    member.wait_for(lambda: all("slave" in n.nodes()[first.id][2] for n in real))
    member.stream = int(dict(_fields(first("INFO", "replication")))["slave_repl_offset"])
    first("CLUSTER", "FAILOVER", "FORCE")
    member.wait_for(lambda: member.member.myself.is_replica)
    member.wait_for(lambda: all(n.nodes()[member.id][2] == "slave" for n in real[1:]))
    assert view.nodes[first.id].slot_count == 5000
    assert member.address == (HERE, first.port)

    # The primary dies, and the real ones vote for ours.
    member.wait_for(lambda: view.is_ok)
    first.server.process.kill()
    first.server.process.wait()
    member.wait_for(lambda: member.member.myself.is_primary, 30)
    member.wait_for(lambda: all(n.nodes()[member.id][8:] == ["0-4999"] for n in real[1:]))
    member.wait_for(lambda: view.is_ok and second.is_ok() and third.is_ok())


def _fields(text: bytes) -> Iterator[tuple[str, str]]:
    for line in text.decode().splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name, value
