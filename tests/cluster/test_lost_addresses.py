"""Nodes that are not where they were: how they are found, and what is made of old messages."""

from __future__ import annotations

import pytest

from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.node_flags import NO_ADDRESS, PFAIL, PRIMARY, REPLICA

from .puppets import Puppet, Scene
from .simulated_cluster import BUS_PORT, NODE_TIMEOUT
from .simulated_data import DATA_PORT

ELSEWHERE = "10.0.0.77"


@pytest.fixture
def scene() -> Scene:
    return Scene()


def lose(scene: Scene, puppet: Puppet) -> None:
    """Have another node at the address of a puppet until that is found."""
    id = puppet.id
    puppet.id = "e" * 40
    scene.network.run_until(lambda: not scene.view.nodes[id].has_address, NODE_TIMEOUT * 3)
    puppet.id = id


def move(scene: Scene, puppet: Puppet) -> None:
    """Let a puppet be found elsewhere, without that it says so itself."""
    puppet.name = Puppet(scene, ELSEWHERE, puppet.id[0]).name


class TestHearsay:
    def test_who_has_no_address_any_more_is_looked_for(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), scene.puppet("c")
        lose(scene, other)
        move(scene, other)
        friend.tell_of(other, PRIMARY)
        friend.say(types.PING)
        node = scene.node(other)
        assert node.has_address
        assert (node.ip, node.tcp_port, node.bus_port) == (ELSEWHERE, DATA_PORT, BUS_PORT)
        scene.run(1)
        assert node.is_connected and node.has_address

    def test_not_where_nobody_has_found_it(self, scene: Scene) -> None:
        friend, other = scene.puppet("b"), scene.puppet("c")
        lose(scene, other)
        for flags in (PRIMARY | NO_ADDRESS, PRIMARY | PFAIL):
            friend.tell_of(other, flags)
            friend.say(types.PING)
            assert not scene.node(other).has_address

    def test_nor_where_strangers_say(self, scene: Scene) -> None:
        other = scene.puppet("c")
        lose(scene, other)
        stranger = Puppet(scene, "10.0.0.99", "f")
        stranger.tell_of(other, PRIMARY)
        stranger.say(types.MEET)
        assert not scene.node(other).has_address

    def test_a_primary_is_followed_where_it_was_found(self, scene: Scene) -> None:
        friend, primary = scene.puppet("b", range(10), 1), scene.puppet("c", range(10, 20), 2)
        scene.member.member.replicate(primary.id)
        assert scene.member.data.address == (primary.name, DATA_PORT)
        primary.answers = False
        scene.network.run_until(lambda: scene.node(primary).is_suspected, NODE_TIMEOUT * 2)
        move(scene, primary)
        friend.tell_of(primary, PRIMARY)
        friend.say(types.PING)
        assert scene.member.data.address == (ELSEWHERE, DATA_PORT)


def test_a_meet_that_was_lost_with_its_connection_is_said_again(scene: Scene) -> None:
    puppet = Puppet(scene, "10.0.0.99", "f")
    puppet.answers = False
    scene.member.member.meet(puppet.name, DATA_PORT)
    scene.run(0.3)
    assert [message.type for message in puppet.received] == [types.MEET]
    [node] = [node for node in scene.view.nodes.values() if not node.is_myself]
    assert node.link is not None
    node.link.close()
    puppet.answers = True
    scene.run(0.5)
    assert [message.type for message in puppet.received][:2] == [types.MEET, types.MEET]
    # Who is known is pinged.
    link = scene.node(puppet).link
    assert link is not None
    link.close()
    puppet.received.clear()
    scene.run(0.5)
    assert puppet.received[0].type == types.PING


def test_what_this_node_has_said_before_does_not_change_what_it_is(scene: Scene) -> None:
    """It comes back to it where it has got the address of another node."""
    friend = scene.puppet("b", range(10), 1)
    scene.member.member.add_slots(range(100, 200))
    echo = Puppet(scene, "10.0.0.99", "f")
    echo.id = scene.member.id
    echo.follow(friend)
    echo.say(types.PING)
    assert scene.member.myself.is_primary and scene.member.myself.slot_count == 100
    assert scene.member.data.address is None
    assert echo.heard(types.PONG)


def test_a_replica_that_the_file_has_not_called_one(scene: Scene) -> None:
    primary, replica = scene.puppet("b", range(10), 1), scene.puppet("c")
    replica.follow(primary)
    replica.say(types.PING)
    node = scene.node(replica)
    node.flags &= ~(PRIMARY | REPLICA)
    replica.say(types.PING)
    assert node.is_replica and node.primary is scene.node(primary)
