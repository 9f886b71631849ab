"""What administrators ask of a node, and the errors that they get."""

from __future__ import annotations

from typing import Any

import pytest

from carnelian.cluster.bus.bus_messages import Publication
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.cluster_errors import ClusterError, NodesFileError
from carnelian.cluster.known.node_lines import nodes_text
from carnelian.cluster.known.slot_bitmap import slots_in

from .puppets import Scene


@pytest.fixture
def scene() -> Scene:
    """A primary with slots 0 to 9, one with 10 to 19, and a replica of that."""
    scene = Scene()
    scene.member.member.add_slots(range(10))
    scene.member.member.set_config_epoch(1)
    other = scene.puppet("b", range(10, 20), 2)
    replica = scene.puppet("c")
    replica.follow(other)
    replica.say(types.PING)
    scene.run(0.1)
    return scene


def refused(text: str) -> Any:
    return pytest.raises(ClusterError, match=f"^{text}$")


OTHER, REPLICA, NOBODY = "b" * 40, "c" * 40, "f" * 40


class TestSlots:
    def test_adding_and_deleting(self, scene: Scene) -> None:
        member = scene.member.member
        member.add_slots([100, 102])
        member.del_slots([0, 10, 100])
        assert slots_in(scene.member.myself.slots) == [*range(1, 10), 102]
        assert scene.view.owners[10] is None
        scene.run(0.1)
        assert b"connected 1-9 102\n" in scene.member.node.disk["nodes"]

    def test_all_or_none(self, scene: Scene) -> None:
        member = scene.member.member
        with refused("Slot 5 is already busy"):
            member.add_slots([100, 5])
        with refused("Slot 100 specified multiple times"):
            member.add_slots([100, 100])
        with refused("Slot 200 is already unassigned"):
            member.del_slots([1, 200])
        with refused("Slot 1 specified multiple times"):
            member.del_slots([1, 1])
        assert slots_in(scene.member.myself.slots) == list(range(10))

    def test_adding_ends_an_import(self, scene: Scene) -> None:
        scene.view.importing_from[100] = scene.view.nodes[OTHER]
        scene.member.member.add_slots([100])
        assert not scene.view.importing_from

    def test_flushing(self, scene: Scene) -> None:
        scene.member.data.write(1, 1)
        with refused("DB must be empty to perform CLUSTER FLUSHSLOTS."):
            scene.member.member.flush_slots()
        scene.member.data.flush()
        scene.member.member.flush_slots()
        assert not scene.member.myself.slot_count

    def test_on_their_way(self, scene: Scene) -> None:
        member = scene.member.member
        member.set_slot_migrating(3, OTHER)
        member.set_slot_importing(12, OTHER)
        line = nodes_text(scene.view, False).splitlines()[0]
        assert line.endswith(f" 0-9 [3->-{OTHER}] [12-<-{OTHER}]")
        with refused("I'm not the owner of hash slot 12"):
            member.set_slot_migrating(12, OTHER)
        with refused("I'm already the owner of hash slot 3"):
            member.set_slot_importing(3, OTHER)
        for operation, slot in ((member.set_slot_migrating, 3), (member.set_slot_importing, 12)):
            with refused(f"I don't know about node {NOBODY}"):
                operation(slot, NOBODY)
            with refused("Target node is not a master"):
                operation(slot, REPLICA)
        member.set_slot_stable(3)
        member.set_slot_stable(12)
        assert not scene.view.migrating_to and not scene.view.importing_from

    def test_a_slot_has_come(self, scene: Scene) -> None:
        member = scene.member.member
        member.set_slot_importing(12, OTHER)
        scene.puppets[0].received.clear()
        member.set_slot_node(12, scene.member.id)
        assert not scene.view.importing_from
        assert scene.view.owners[12] is scene.member.myself
        assert scene.member.myself.config_epoch == scene.view.current_epoch == 3
        assert b"connected 0-9 12\n" in scene.member.node.disk["perhaps"][0]
        scene.run(0.1)
        assert scene.puppets[0].heard(types.PONG)[0].config_epoch == 3
        # The greatest epoch is enough for the next one.
        member.set_slot_importing(13, OTHER)
        member.set_slot_node(13, scene.member.id)
        assert scene.member.myself.config_epoch == 3
        written = scene.member.node.disk["nodes"]
        assert b"connected 0-9 12 [13-<-" not in written
        assert written.endswith(b"vars slot 13,%b,-\n" % scene.member.id.encode())
        # The notes do not stay.
        scene.run(1.2)
        assert b"connected 0-9 12-13\n" in scene.member.node.disk["nodes"]
        assert b"vars slot" not in scene.member.node.disk["nodes"]

    def test_others_hear_together_of_slots_that_come_quickly(self, scene: Scene) -> None:
        member = scene.member.member
        scene.puppets[0].received.clear()
        for slot in range(20, 60):
            member.set_slot_importing(slot, OTHER)
            member.set_slot_node(slot, scene.member.id)
            scene.run(0.001)
        scene.run(0.05)
        heard = scene.puppets[0].heard(types.PONG)
        assert 2 <= len(heard) <= 6
        assert slots_in(heard[0].slots) == [*range(10), 20]
        assert slots_in(heard[-1].slots) == [*range(10), *range(20, 60)]

    def test_marks_of_slots_outlive_a_crash_while_others_tell_of_theirs(self, scene: Scene) -> None:
        """Who has just lost a slot to another node writes that for a loss of power in some time;
        what an administrator does meanwhile does not wait for it.
        """
        member, other = scene.member.member, scene.puppets[0]
        scene.run(0.5)
        member.set_slot_migrating(4, OTHER)
        other.own([3, *range(10, 20)], 9)
        other.say(types.PING)
        scene.network.run_until(lambda: member.membership.must_sync, 1)
        member.set_slot_migrating(5, OTHER)
        scene.run(0.02)
        assert member.membership.must_sync
        assert f"[5->-{OTHER}]".encode() in scene.member.node.disk["nodes"]

    def test_a_slot_has_gone(self, scene: Scene) -> None:
        member = scene.member.member
        member.set_slot_migrating(3, OTHER)
        scene.member.data.write(3, 1)
        with refused(
            "Can't assign hashslot 3 to a different node while I still hold keys for this hash "
            "slot."
        ):
            member.set_slot_node(3, OTHER)
        scene.member.data.flush()
        member.set_slot_node(3, OTHER)
        assert not scene.view.migrating_to
        assert scene.view.owners[3] is scene.view.nodes[OTHER]
        assert scene.member.myself.config_epoch == 1
        with refused(f"Unknown node {NOBODY}"):
            member.set_slot_node(3, NOBODY)
        with refused("Target node is not a master"):
            member.set_slot_node(3, REPLICA)

    def test_who_gives_its_last_slot_away_follows_it(self, scene: Scene) -> None:
        member = scene.member.member
        for slot in range(10):
            member.set_slot_node(slot, OTHER)
        assert scene.member.myself.primary is scene.view.nodes[OTHER]

    def test_unless_it_may_not(self, scene: Scene) -> None:
        scene.member.settings.allow_replica_migration = False
        for slot in range(10):
            scene.member.member.set_slot_node(slot, OTHER)
        assert scene.member.myself.is_primary

    def test_replicas_have_no_say(self, scene: Scene) -> None:
        member = scene.member.member
        member.flush_slots()
        member.replicate(OTHER)
        for operation, arguments in (
            (member.set_slot_migrating, (1, OTHER)),
            (member.set_slot_importing, (1, OTHER)),
            (member.set_slot_stable, (1,)),
            (member.set_slot_node, (1, OTHER)),
            (member.claim_slots, ([1],)),
        ):
            with refused("Please use SETSLOT only with masters."):
                operation(*arguments)

    def test_claiming(self, scene: Scene) -> None:
        scene.puppets[0].received.clear()
        scene.member.member.claim_slots([12, 13, 5000])
        assert slots_in(scene.member.myself.slots) == [*range(10), 12, 13, 5000]
        assert scene.member.myself.config_epoch == 3
        assert b"connected 0-9 12-13 5000\n" in scene.member.node.disk["perhaps"][0]
        scene.run(0.1)
        assert slots_in(scene.puppets[0].heard(types.PONG)[0].slots)[-1] == 5000


class TestReplicating:
    def test_a_replica(self, scene: Scene) -> None:
        member = scene.member.member
        member.flush_slots()
        member.replicate(OTHER)
        myself: Any = scene.member.myself
        primary = scene.view.nodes[OTHER]
        assert myself.primary is primary and myself in primary.replicas
        assert myself.shard_id == primary.shard_id
        assert scene.member.data.address == ("10.0.0.2", 6379)
        line = nodes_text(scene.view, False).splitlines()[0].split()
        # The epoch shown is that of the primary.
        assert line[2:4] == ["myself,slave", OTHER] and line[6] == "2"
        third = scene.puppet("d", range(20, 30), 5)
        member.replicate(third.id)
        assert myself not in primary.replicas and myself.primary is scene.node(third)

    def test_refusals(self, scene: Scene) -> None:
        member = scene.member.member
        with refused(f"Unknown node {NOBODY}"):
            member.replicate(NOBODY)
        with refused("Can't replicate myself"):
            member.replicate(scene.member.id)
        with refused("I can only replicate a master, not a replica."):
            member.replicate(REPLICA)
        full = "To set a master the node must be empty and without assigned slots."
        with refused(full):
            member.replicate(OTHER)
        member.flush_slots()
        scene.member.data.write(1, 1)
        with refused(full):
            member.replicate(OTHER)

    def test_a_replica_follows_again_after_a_restart(self, scene: Scene) -> None:
        scene.member.member.flush_slots()
        scene.member.member.replicate(OTHER)
        scene.run(0.1)
        scene.network.crash("10.0.0.1")
        scene.network.restart("10.0.0.1")
        assert scene.member.data.address is None
        scene.run(0.2)
        assert scene.member.data.address == ("10.0.0.2", 6379)

    def test_failovers_that_cannot_be(self, scene: Scene) -> None:
        member = scene.member.member
        with refused("You should send CLUSTER FAILOVER to a replica"):
            member.failover()
        member.flush_slots()
        member.replicate(OTHER)
        member.close_links(OTHER)
        with refused("Master is down or failed, please use CLUSTER FAILOVER FORCE"):
            member.failover()
        scene.view.make_replica(scene.member.myself, None)
        scene.member.myself.primary = None
        with refused("I'm a replica but my master is unknown to me"):
            member.failover(force=True)


class TestAPrimaryThatIsReplacedByHand:
    def test_it_stops_its_clients_and_says_how_far_it_is(self, scene: Scene) -> None:
        replica = scene.puppet("d")
        replica.follow(scene.member)
        replica.say(types.PING)
        scene.member.node.disk["offset"] = 77
        replica.received.clear()
        replica.say(types.MFSTART)
        assert 9_970 < scene.member.paused_until - scene.member.now < 10_000
        [ping] = replica.heard(types.PING)
        assert (ping.offset, ping.message_flags & 1) == (77, 1)
        # It is asked again and again, until it is over.
        scene.run(1)
        assert len(replica.heard(types.PING)) > 8
        scene.run(4.2)
        assert scene.member.texts("Manual failover timed out.")
        assert scene.member.paused_until == 0
        replica.received.clear()
        scene.run(1.1)
        assert not any(message.message_flags & 1 for message in replica.received)

    def test_not_by_replicas_of_others(self, scene: Scene) -> None:
        scene.puppets[1].say(types.MFSTART)
        assert not scene.member.paused_until

    def test_its_clients_go_on_when_it_was_replaced(self, scene: Scene) -> None:
        replica = scene.puppet("d")
        replica.follow(scene.member)
        replica.say(types.PING)
        replica.say(types.MFSTART)
        replica.lead()
        replica.own(range(10), 9)
        replica.say(types.PING)
        assert scene.member.myself.primary is scene.node(replica)
        assert scene.member.paused_until == 0


class TestEpochs:
    def test_of_a_new_node(self) -> None:
        scene = Scene()
        member = scene.member.member
        with refused("Invalid config epoch specified: -1"):
            member.set_config_epoch(-1)
        member.set_config_epoch(7)
        assert scene.member.myself.config_epoch == scene.view.current_epoch == 7
        with refused("Node config epoch is already non-zero"):
            member.set_config_epoch(8)
        scene.puppet("b")
        with refused(
            "The user can assign a config epoch only when the node does not know any other node."
        ):
            member.set_config_epoch(8)

    def test_bumping(self, scene: Scene) -> None:
        assert scene.member.member.bump_epoch()
        assert scene.member.myself.config_epoch == 3
        assert not scene.member.member.bump_epoch()
        assert scene.member.myself.config_epoch == 3


class TestReset:
    def test_of_a_primary(self, scene: Scene) -> None:
        id, shard = scene.member.id, scene.member.myself.shard_id
        scene.member.data.write(1, 1)
        with refused("CLUSTER RESET can't be called with master nodes containing keys"):
            scene.member.member.reset()
        scene.member.data.flush()
        scene.member.member.forget(OTHER)
        scene.member.member.reset()
        assert list(scene.view.nodes) == [id]
        assert (scene.view.current_epoch, scene.member.myself.config_epoch) == (2, 1)
        assert not scene.member.myself.slot_count and not len(scene.view.forgotten)
        assert scene.member.myself.shard_id == shard
        assert not any(scene.view.owners)

    def test_hard(self, scene: Scene) -> None:
        id, shard = scene.member.id, scene.member.myself.shard_id
        scene.member.member.reset(hard=True)
        assert scene.member.id != id and scene.member.myself.shard_id != shard
        assert (scene.view.current_epoch, scene.member.myself.config_epoch) == (0, 0)
        scene.run(0.1)
        assert scene.member.id.encode() in scene.member.node.disk["nodes"]
        # The others do not take it for who it was.
        scene.puppets[0].say(types.PING)
        assert len(scene.view.nodes) == 1

    def test_of_a_replica(self, scene: Scene) -> None:
        scene.member.member.flush_slots()
        scene.member.member.replicate(OTHER)
        scene.member.data.writes[1] = [1]
        scene.member.member.reset()
        assert scene.member.myself.is_primary and scene.member.data.address is None
        assert not scene.member.data.writes
        assert scene.member.myself.shard_id != scene.puppets[0].id


class TestDataAndSlots:
    def boot_again(self, scene: Scene, slot: int) -> Scene:
        scene.member.node.disk["writes"][slot] = [1]
        scene.run(0.1)
        scene.network.crash("10.0.0.1")
        scene.network.restart("10.0.0.1")
        return scene

    def test_keys_of_a_slot_of_nobody(self, scene: Scene) -> None:
        self.boot_again(scene, 100)
        assert scene.view.owners[100] is scene.member.myself

    def test_keys_of_a_slot_of_somebody(self, scene: Scene) -> None:
        self.boot_again(scene, 15)
        assert not scene.view.importing_from
        assert 15 not in scene.member.data.writes
        assert any("slot 15" in each.text for each in scene.member.logged)

    def test_keys_of_a_slot_on_its_way(self, scene: Scene) -> None:
        scene.member.member.set_slot_importing(15, OTHER)
        self.boot_again(scene, 15)
        assert scene.view.importing_from == {15: scene.view.nodes[OTHER]}
        assert scene.member.data.writes[15] == [1]

    def test_keys_of_our_slots(self, scene: Scene) -> None:
        self.boot_again(scene, 5)
        assert not scene.view.importing_from

    def test_other_databases(self, scene: Scene) -> None:
        scene.member.other_databases = True
        with pytest.raises(ClusterError):
            scene.member.member.data_loaded()


class TestMessages:
    def test_to_all_and_to_the_shard(self, scene: Scene) -> None:
        replica = scene.puppet("d")
        replica.follow(scene.member)
        replica.say(types.PING)
        scene.member.member.publish(b"channel", b"message")
        scene.member.member.publish(b"shard", b"message", sharded=True)
        scene.run(0.1)
        for puppet in scene.puppets:
            [message] = puppet.heard(types.PUBLISH)
            assert message.body == Publication(b"channel", b"message")
            assert bool(puppet.heard(types.PUBLISHSHARD)) == (puppet is replica)

    def test_from_others(self, scene: Scene) -> None:
        scene.puppets[0].say(types.PUBLISH, Publication(b"a", b"b"))
        scene.puppets[0].say(types.PUBLISHSHARD, Publication(b"c", b""))
        assert scene.member.delivered == [(b"a", b"b", False), (b"c", b"", True)]


class TestLinks:
    def test_both_directions(self, scene: Scene) -> None:
        states = scene.member.member.links()
        assert [(state.node.id[0], state.link.is_inbound) for state in states] == [
            ("b", False),
            ("b", True),
            ("c", False),
            ("c", True),
        ]
        assert scene.member.member.links_memory() > 0

    def test_ending_them(self, scene: Scene) -> None:
        node = scene.view.nodes[OTHER]
        before = node.link
        scene.member.member.close_links(OTHER, outbound=True, inbound=False)
        assert node.link is None and node.inbound_link is not None
        assert node_is_shown_as(scene, OTHER) == "disconnected"
        scene.member.member.close_links(OTHER)
        assert node.inbound_link is None
        scene.run(0.3)
        assert node.link not in (None, before)
        assert node_is_shown_as(scene, OTHER) == "connected"

    def test_too_much_to_send(self, scene: Scene) -> None:
        scene.member.settings.link_sendbuf_limit = 100_000
        scene.network.partition([scene.puppets[0].name])
        node = scene.view.nodes[OTHER]
        before = node.link
        scene.member.member.publish(b"channel", b"m" * 60_000)
        scene.run(0.2)
        assert node.link is before and before is not None and 60_000 < before.unsent < 70_000
        assert before.is_writing
        scene.member.member.publish(b"channel", b"m" * 60_000)
        scene.run(0.2)
        assert node.link is not before
        assert scene.view.statistics.links_over_limit == 1
        assert scene.member.texts("bytes wait to be sent")
        # Those that are read are not concerned.
        assert scene.view.nodes[REPLICA].link is not None

    def test_what_is_counted(self, scene: Scene) -> None:
        scene.run(3)
        statistics = scene.view.statistics
        sent, received = dict(statistics.sent_by_word()), dict(statistics.received_by_word())
        assert {"ping", "pong", "meet"} <= set(sent) and set(received) == {"ping", "pong"}
        assert statistics.bytes_sent > 2256 * sum(sent.values())
        assert statistics.bytes_received >= 2256 * sum(received.values())


def node_is_shown_as(scene: Scene, id: str) -> str:
    lines = {line.split()[0]: line.split() for line in nodes_text(scene.view, False).splitlines()}
    return lines[id][7]


def test_a_file_that_cannot_be_written(scene: Scene) -> None:
    scene.member.disk_is_full = True
    with pytest.raises(OSError):
        scene.member.member.save_config()
    scene.member.member.add_slots([100])
    scene.run(0.1)
    assert scene.member.gave_up == "Fatal: can't update cluster config file."


def test_what_waits_to_be_written_waits_on_when_the_disk_was_full(scene: Scene) -> None:
    member = scene.member.member
    member.set_slot_importing(12, OTHER)
    scene.member.disk_is_full = True
    with pytest.raises(OSError):
        member.save_config()
    scene.member.disk_is_full = False
    scene.run(0.1)
    assert b"[12-<-" in scene.member.node.disk["nodes"]


def test_who_stops_writes_what_it_was_just_told(scene: Scene) -> None:
    scene.member.member.set_slot_importing(12, OTHER)
    scene.member.member.stop()
    assert b"[12-<-" in scene.member.node.disk["nodes"]
    assert b"vars slot" not in scene.member.node.disk["nodes"]


def test_a_damaged_file(scene: Scene) -> None:
    scene.network.crash("10.0.0.1")
    scene.network.nodes["10.0.0.1"].disk["nodes"] = b"damaged"
    with pytest.raises(NodesFileError):
        scene.network.restart("10.0.0.1")


def test_after_stop_nothing_happens(scene: Scene) -> None:
    scene.member.member.stop()
    for puppet in scene.puppets:
        puppet.received.clear()
    scene.run(5)
    assert not any(puppet.received for puppet in scene.puppets)
    assert not scene.member.member.links()
