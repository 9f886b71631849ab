"""How nodes get to know each other, forget each other, and tell of themselves."""

from __future__ import annotations

import pytest

from carnelian.cluster.bus.bus_messages import Extensions, Gossip
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_errors import ClusterError, UnknownNode
from carnelian.cluster.known.node_flags import HANDSHAKE, NO_ADDRESS, PRIMARY, REPLICA
from carnelian.cluster.known.node_lines import node_line

from .puppets import Puppet, Scene
from .simulated_cluster import BUS_PORT, NODE_TIMEOUT
from .simulated_data import DATA_PORT


@pytest.fixture
def scene() -> Scene:
    return Scene()


def stranger(scene: Scene, id: str = "f", name: str = "10.0.0.99") -> Puppet:
    return Puppet(scene, name, id)


class TestMeet:
    def test_both_know_each_other_afterwards(self, scene: Scene) -> None:
        puppet = stranger(scene)
        scene.member.member.meet(puppet.name, DATA_PORT)
        [node] = [node for node in scene.view.nodes.values() if not node.is_myself]
        assert node.flags & HANDSHAKE
        line = node_line(scene.view, node, False)
        assert line.split()[1:4] == ["10.0.0.99:6379@16379", "handshake", "-"]
        assert b"10.0.0.99" not in scene.member.node.disk["nodes"]
        scene.run(0.3)
        assert puppet.received[0].type == types.MEET
        assert puppet.id in scene.view.nodes and len(scene.view.nodes) == 2
        assert node.id == puppet.id and node.is_primary
        assert (
            f"{puppet.id} 10.0.0.99:6379@16379,,tls-port=0,shard-id=".encode()
            in (scene.member.node.disk["nodes"])
        )

    def test_who_sends_a_meet_is_asked_who_it_is(self, scene: Scene) -> None:
        puppet = stranger(scene)
        puppet.say(types.MEET)
        assert puppet.heard(types.PONG)
        scene.run(0.3)
        assert puppet.id in scene.view.nodes
        # And has told us where we are.
        assert scene.member.myself.ip == "10.0.0.1"

    def test_a_ping_of_a_stranger_is_answered_and_no_more(self, scene: Scene) -> None:
        puppet = stranger(scene)
        puppet.say(types.PING)
        assert puppet.heard(types.PONG)
        scene.run(0.3)
        assert len(scene.view.nodes) == 1

    def test_a_handshake_does_not_last_for_ever(self, scene: Scene) -> None:
        scene.member.member.meet("10.0.0.77", DATA_PORT)
        assert len(scene.view.nodes) == 2
        scene.run(NODE_TIMEOUT / 1000 + 0.3)
        assert len(scene.view.nodes) == 1

    def test_one_handshake_at_a_time(self, scene: Scene) -> None:
        for _ in range(3):
            scene.member.member.meet("10.0.0.77", DATA_PORT)
        assert len(scene.view.nodes) == 2
        scene.member.member.meet("10.0.0.77", DATA_PORT, 7)
        assert len(scene.view.nodes) == 3

    def test_whom_we_know_already(self, scene: Scene) -> None:
        puppet = scene.puppet("b")
        scene.member.member.meet(puppet.name, DATA_PORT)
        scene.run(0.5)
        assert len(scene.view.nodes) == 2

    def test_ourselves(self, scene: Scene) -> None:
        scene.member.member.meet("10.0.0.1", DATA_PORT)
        scene.run(0.5)
        assert list(scene.view.nodes) == [scene.member.id]
        assert scene.member.myself.flags & PRIMARY

    @pytest.mark.parametrize(
        ("ip", "port", "bus_port"),
        [
            ("nowhere", 1, 2),
            ("1.2.3", 1, 2),
            ("", 1, 2),
            ("1.2.3.4", 0, 2),
            ("1.2.3.4", 65536, 2),
            ("1.2.3.4", 1, 0),
            ("1.2.3.4", 60000, None),
        ],
    )
    def test_what_is_no_address(
        self, scene: Scene, ip: str, port: int, bus_port: int | None
    ) -> None:
        with pytest.raises(ClusterError, match=f"Invalid node address specified: {ip}:{port}"):
            scene.member.member.meet(ip, port, bus_port)
        assert len(scene.view.nodes) == 1

    def test_addresses_are_written_in_one_way(self, scene: Scene) -> None:
        scene.member.member.meet("0:0::0:1", DATA_PORT)
        assert "::1" in [node.ip for node in scene.view.nodes.values()]


class TestGossip:
    def test_nodes_are_known_by_hearsay(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), stranger(scene)
        friend.tell_of(other, PRIMARY)
        friend.say(types.PING)
        node = scene.node(other)
        assert (node.ip, node.tcp_port, node.bus_port) == (other.name, DATA_PORT, BUS_PORT)
        assert node.is_primary
        scene.run(0.3)
        assert other.heard(types.PING) and not other.heard(types.MEET)

    def test_not_by_strangers_nor_without_an_address(self, scene: Scene) -> None:
        friend, other, third = scene.puppet("b"), stranger(scene), stranger(scene, "0", "10.0.0.9")
        third.tell_of(other, PRIMARY)
        third.say(types.PING)
        friend.tell_of(other, PRIMARY | NO_ADDRESS)
        friend.say(types.PING)
        assert other.id not in scene.view.nodes

    def test_flags_that_are_nobody_elses_business(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), stranger(scene)
        other.answers = False
        friend.tell_of(other, REPLICA | 16 | 32 | 128 | 0x8000)
        friend.say(types.PING)
        assert scene.node(other).flags == REPLICA

    def test_hostile_entries(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), stranger(scene)
        friend.tell_of(other, PRIMARY)
        [entry] = friend.gossip
        friend.gossip = [entry._replace(ip="a b"), entry._replace(id=b"\n" * 40)]
        friend.say(types.PING)
        assert len(scene.view.nodes) == 2


class TestForget:
    def test_for_a_minute(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), scene.puppet("c", range(10), 1)
        scene.member.member.forget(other.id)
        assert other.id not in scene.view.nodes
        assert scene.view.owners[0] is None
        scene.run(0.1)
        friend.tell_of(other, PRIMARY)
        for _ in range(11):
            friend.say(types.PING)
            other.say(types.PING)
            assert other.id not in scene.view.nodes
            scene.run(5.0)
        scene.run(6)
        friend.say(types.PING)
        assert other.id in scene.view.nodes

    def test_who_understands_it_is_told(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), scene.puppet("c")
        friend.extensions = Extensions(shard_id="d" * 40)
        friend.say(types.PING)
        scene.member.member.forget(other.id)
        scene.run(0.2)
        friend.received.clear()
        friend.say(types.PING)
        [pong] = friend.heard(types.PONG)
        assert isinstance(pong.body, Gossip) and pong.body.extensions is not None
        assert pong.body.extensions.forgotten == [(other.id, 59)]

    def test_what_others_have_forgotten(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), scene.puppet("c", range(10), 1)
        friend.extensions = Extensions(
            forgotten=[(other.id, 30), ("0" * 40, 30), (scene.member.id, 30)], shard_id="d" * 40
        )
        friend.say(types.PING)
        assert set(scene.view.nodes) == {scene.member.id, friend.id}
        friend.extensions = None
        friend.tell_of(other, PRIMARY)
        friend.say(types.PING)
        assert other.id not in scene.view.nodes
        scene.run(31)
        friend.say(types.PING)
        assert other.id in scene.view.nodes

    def test_whom_not(self, scene: Scene) -> None:
        friend = scene.puppet("b")
        member = scene.member.member
        with pytest.raises(UnknownNode, match=f"^Unknown node {'c' * 40}$"):
            member.forget("c" * 40)
        with pytest.raises(ClusterError, match="I tried hard but I can't forget myself"):
            member.forget(scene.member.id)
        member.replicate(friend.id)
        with pytest.raises(ClusterError, match="Can't forget my master!"):
            member.forget(friend.id)
        # Nor because others have.
        other = scene.puppet("c")
        other.extensions = Extensions(forgotten=[(friend.id, 30)], shard_id="d" * 40)
        other.say(types.PING)
        assert friend.id in scene.view.nodes


class TestNames:
    def test_names_and_shards_of_others(self, scene: Scene) -> None:
        friend = scene.puppet("b")
        friend.extensions = Extensions("host.example", "the first", shard_id="d" * 40)
        friend.say(types.PING)
        node = scene.node(friend)
        assert (node.hostname, node.human_name, node.shard_id) == ("host.example", "", "d" * 40)
        friend.extensions = Extensions("host.example", "first", shard_id="d" * 40)
        friend.say(types.PING)
        assert node.human_name == "first"
        scene.run(0.1)
        assert (
            b",host.example,tls-port=0,nodename=first,shard-id=ddd"
            in (scene.member.node.disk["nodes"])
        )
        friend.extensions = Extensions()
        friend.say(types.PING)
        assert (node.hostname, node.human_name, node.shard_id) == ("", "", "d" * 40)

    def test_what_a_node_of_7_0_is_told(self, scene: Scene) -> None:
        """Its own extensions are the host name alone, if it has one."""
        scene.member.settings.announce_hostname = "here.example"
        scene.member.settings.announce_human_nodename = "here"
        friend = scene.puppet("b")
        for own in (None, Extensions("old.example")):
            friend.extensions = own
            friend.say(types.PING)
            friend.received.clear()
            friend.say(types.PING)
            [pong] = friend.heard(types.PONG)
            assert isinstance(pong.body, Gossip)
            assert pong.body.extensions == Extensions("here.example")

    def test_what_a_newer_node_is_told(self, scene: Scene) -> None:
        scene.member.settings.announce_human_nodename = "here"
        friend = scene.puppet("b")
        for own in (Extensions(), Extensions("h", shard_id="d" * 40)):
            friend.extensions = own
            friend.say(types.PING)
            friend.received.clear()
            friend.say(types.PING)
            [pong] = friend.heard(types.PONG)
            assert isinstance(pong.body, Gossip)
            assert pong.body.extensions == Extensions(
                "", "here", shard_id=scene.member.myself.shard_id
            )
        # A node that is not known is told that we would understand them.
        other = stranger(scene)
        other.say(types.PING)
        [pong] = other.heard(types.PONG)
        assert isinstance(pong.body, Gossip) and pong.body.extensions == Extensions()

    def test_what_is_announced_may_change(self, scene: Scene) -> None:
        friend = scene.puppet("b")
        settings, myself = scene.member.settings, scene.member.myself
        settings.announce_ip = "1.2.3.4"
        settings.announce_port, settings.announce_tls_port = 11, 12
        settings.announce_bus_port = 13
        settings.announce_hostname = "new.example"
        scene.member.member.settings_changed()
        scene.run(2)
        ping = friend.received[-1]
        assert (ping.ip, ping.port, ping.other_port, ping.bus_port) == ("1.2.3.4", 11, 12, 13)
        assert node_line(scene.view, myself, False).split()[1] == "1.2.3.4:11@13,new.example"
        assert node_line(scene.view, myself, True).split()[1] == "1.2.3.4:12@13,new.example"
        settings.announce_ip = "n" * 46
        scene.member.member.settings_changed()
        scene.run(2)
        assert myself.ip == friend.received[-1].ip == "n" * 45
        settings.announce_ip = ""
        scene.member.member.settings_changed()
        assert myself.ip == ""
        friend.say(types.PING)
        assert myself.ip == "10.0.0.1"


class TestAddresses:
    def test_a_node_that_says_that_it_has_moved(self, scene: Scene) -> None:
        friend = scene.puppet("b", range(10), 1)
        scene.member.member.replicate(friend.id)
        friend.state.update(ip="10.0.0.55", port=7)
        friend.say(types.PING)
        node = scene.node(friend)
        assert (node.ip, node.tcp_port) == ("10.0.0.55", 7)
        assert scene.member.data.address == ("10.0.0.55", 7)
        assert scene.member.texts("Address updated for node")

    def test_the_bus_stays_where_it_is_when_clients_are_to_come_elsewhere(
        self, scene: Scene
    ) -> None:
        friend = scene.puppet("b")
        settings = scene.member.settings
        settings.tcp_port = 7000
        scene.member.member.settings_changed()
        scene.run(2)
        ping = friend.received[-1]
        assert (ping.port, ping.bus_port) == (7000, BUS_PORT)
        line = node_line(scene.view, scene.member.myself, False)
        assert line.split()[1].endswith(f":7000@{BUS_PORT}")

    def test_somebody_else_at_an_address(self, scene: Scene) -> None:
        friend = scene.puppet("b")
        scene.run(NODE_TIMEOUT / 1000)
        friend.id = "c" * 40
        scene.run(NODE_TIMEOUT / 1000 * 2)
        node = scene.view.nodes["b" * 40]
        assert not node.has_address and node.ip == "" and node.bus_port == 0
        assert node_line(scene.view, node, False).split()[1:3] == [":0@0", "master,noaddr"]

    def test_nobody_is_let_in_while_the_data_is_read(self, scene: Scene) -> None:
        scene.member.is_loading = True
        puppet = stranger(scene)
        with pytest.raises(AssertionError):
            puppet.say(types.MEET)
        scene.run(0.5)
        assert not puppet.received and len(scene.view.nodes) == 1
        scene.member.is_loading = False
        puppet.say(types.MEET)
        scene.run(0.5)
        assert puppet.id in scene.view.nodes


def test_hostile_bytes_end_the_connection(scene: Scene) -> None:
    puppet = scene.puppet("b")
    assert puppet.wire is not None
    puppet.wire.send(b"GET / HTTP/1.1\r\n\r\n")
    scene.run(0.1)
    assert puppet.wire is None
    assert scene.member.texts("Bad message length or signature received from Cluster bus.")
    # What is only wrong inside does not.
    puppet.say(types.PING)
    data = puppet.message(types.FAIL, None)
    assert puppet.wire is not None
    puppet.wire.send(data)
    scene.run(0.1)
    assert puppet.wire is not None
    assert scene.member.texts("Received an invalid message")


def test_types_of_messages_can_be_dropped(scene: Scene) -> None:
    puppet = scene.puppet("b")
    scene.member.member.drop_messages(types.PING)
    before = len(puppet.heard(types.PONG))
    puppet.say(types.PING)
    assert len(puppet.heard(types.PONG)) == before
    scene.member.member.drop_messages(-1)
    puppet.say(types.PING)
    assert len(puppet.heard(types.PONG)) == before + 1
