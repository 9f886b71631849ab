"""Who does not answer, who has failed for a majority, when that is over; and the state."""

from __future__ import annotations

import pytest

from carnelian.cluster.bus.bus_messages import STATE_FAIL, Extensions, Failure, Publication
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.node_flags import FAIL, PFAIL, PRIMARY, REPLICA

from .puppets import Puppet, Scene
from .simulated_cluster import NODE_TIMEOUT

TIMEOUT = NODE_TIMEOUT / 1000


class Circle(Scene):
    """A primary and four others, each with slots, which are all there are unless told otherwise."""

    def __init__(self, **settings: object):
        super().__init__(**{"require_full_coverage": False, **settings})
        self.member.member.add_slots(range(100))
        self.member.member.set_config_epoch(1)
        self.others = [
            self.puppet(id, range(n * 100, n * 100 + 100), n + 1) for n, id in enumerate("bcde", 1)
        ]
        self.victim, self.first, self.second, self.third = self.others
        self.network.run_until(lambda: self.view.is_ok, 10)

    def suspect(self) -> None:
        """Let the victim not answer until that is found."""
        self.victim.answers = False
        self.network.run_until(lambda: self.node(self.victim).is_suspected, TIMEOUT * 2)

    def report(self, who: Puppet, flags: int = PRIMARY | PFAIL) -> None:
        who.tell_of(self.victim, flags)
        who.say(types.PING)


@pytest.fixture
def circle() -> Circle:
    return Circle()


def test_silence_is_noticed_in_time(circle: Circle) -> None:
    circle.run(TIMEOUT)
    circle.victim.answers = False
    circle.run(TIMEOUT)
    assert not circle.node(circle.victim).is_suspected
    circle.run(TIMEOUT / 2 + 0.5)
    assert circle.node(circle.victim).is_suspected
    assert not circle.node(circle.victim).has_failed
    # What does not answer is told of in every message.
    circle.first.received.clear()
    circle.run(2)
    for message in circle.first.received:
        assert circle.victim.id.encode() in message.body.entries


def test_who_cannot_be_reached_is_suspected_like_who_is_silent(circle: Circle) -> None:
    circle.network.crash(circle.victim.name)
    circle.run(TIMEOUT + 0.5)
    assert circle.node(circle.victim).is_suspected


def test_anything_that_comes_is_a_sign_of_life(circle: Circle) -> None:
    circle.victim.answers = False
    for _ in range(round(TIMEOUT * 6)):
        circle.victim.say(types.PUBLISH, Publication(b"a", b"b"))
        circle.run(0.5)
    assert not circle.node(circle.victim).is_suspected


def test_a_silent_connection_is_made_anew(circle: Circle) -> None:
    circle.run(TIMEOUT)
    link = circle.node(circle.victim).link
    circle.victim.answers = False
    circle.network.run_until(lambda: circle.node(circle.victim).link is not link, TIMEOUT * 2)
    assert not circle.node(circle.victim).is_suspected
    circle.victim.answers = True
    circle.run(TIMEOUT * 2)
    assert not circle.node(circle.victim).is_suspected


def test_an_answer_ends_the_suspicion(circle: Circle) -> None:
    circle.suspect()
    circle.victim.answers = True
    circle.run(TIMEOUT)
    assert not circle.node(circle.victim).is_suspected


def test_a_majority_of_primaries_finds_a_failure(circle: Circle) -> None:
    circle.suspect()
    circle.first.extensions = Extensions(human_name="first", shard_id="1" * 40)
    circle.first.say(types.PING)
    circle.report(circle.first)
    assert not circle.node(circle.victim).has_failed
    assert circle.member.member.count_failure_reports(circle.victim.id) == 1
    reported = f"Node {circle.first.id} (first) reported node {circle.victim.id} ()"
    assert circle.member.texts("reported") == [f"{reported} as not reachable."]
    circle.report(circle.first)
    assert not circle.node(circle.victim).has_failed
    circle.report(circle.second)
    node = circle.node(circle.victim)
    assert node.has_failed and not node.is_suspected
    assert circle.third.heard(types.FAIL)[-1].body == Failure(circle.victim.id.encode())
    circle.run(0.1)
    assert b"master,fail" in circle.member.node.disk["nodes"]


def test_reports_that_came_first_count_when_we_see_it_ourselves(circle: Circle) -> None:
    circle.victim.answers = False
    circle.run(TIMEOUT)
    circle.report(circle.first)
    circle.report(circle.second)
    assert not circle.node(circle.victim).has_failed
    circle.network.run_until(lambda: bool(circle.node(circle.victim).flags & (PFAIL | FAIL)), 5)
    assert circle.node(circle.victim).has_failed


def test_an_only_primary_asks_nobody() -> None:
    scene = Scene(require_full_coverage=False)
    scene.member.member.add_slots(range(100))
    scene.member.member.set_config_epoch(1)
    replica = scene.puppet("b")
    replica.follow(scene.member)
    replica.say(types.PING)
    scene.run(TIMEOUT)
    replica.answers = False
    scene.run(TIMEOUT * 2)
    assert scene.node(replica).has_failed


def test_reports_of_replicas_do_not_count(circle: Circle) -> None:
    replica = circle.puppet("f")
    replica.follow(circle.first)
    replica.say(types.PING)
    circle.suspect()
    circle.report(circle.first)
    circle.report(replica)
    assert circle.member.member.count_failure_reports(circle.victim.id) == 1
    assert not circle.node(circle.victim).has_failed


def test_reports_alone_are_no_failure(circle: Circle) -> None:
    for who in (circle.first, circle.second, circle.third):
        circle.report(who)
    assert not circle.node(circle.victim).has_failed
    assert circle.member.member.count_failure_reports(circle.victim.id) == 3


def test_reports_get_old_and_are_taken_back(circle: Circle) -> None:
    circle.report(circle.first)
    circle.report(circle.second)
    circle.report(circle.second, PRIMARY)
    count = circle.member.member.count_failure_reports
    assert count(circle.victim.id) == 1
    circle.first.gossip = []
    circle.run(TIMEOUT * 2 - 0.2)
    assert count(circle.victim.id) == 1
    circle.run(0.5)
    assert count(circle.victim.id) == 0


def test_what_another_has_found_counts_at_once(circle: Circle) -> None:
    circle.first.say(types.FAIL, Failure(circle.victim.id.encode()))
    assert circle.node(circle.victim).has_failed
    # Not of ourselves, nor by who is not known.
    circle.first.say(types.FAIL, Failure(circle.member.id.encode()))
    assert not circle.member.myself.has_failed
    stranger = Puppet(circle, "10.0.0.99", "f")
    stranger.say(types.FAIL, Failure(circle.second.id.encode()))
    assert not circle.node(circle.second).has_failed
    assert circle.member.texts("Ignoring FAIL message from unknown node")


class TestTheEndOfAFailure:
    def test_a_primary_that_nobody_has_replaced(self, circle: Circle) -> None:
        circle.first.say(types.FAIL, Failure(circle.victim.id.encode()))
        # It answers all the while.
        circle.run(TIMEOUT * 2 - 0.1)
        assert circle.node(circle.victim).has_failed
        circle.run(TIMEOUT / 2 + 0.3)
        assert not circle.node(circle.victim).has_failed
        assert circle.member.texts("nobody is serving its slots after some time")

    def test_a_primary_without_slots(self, circle: Circle) -> None:
        circle.member.member.del_slots(range(100, 200))
        circle.first.say(types.FAIL, Failure(circle.victim.id.encode()))
        circle.victim.state["slots"] = bytes(2048)
        circle.run(TIMEOUT / 2 + 0.5)
        assert not circle.node(circle.victim).has_failed
        assert circle.member.texts("master without slots is reachable again")

    def test_a_replica(self, circle: Circle) -> None:
        replica = circle.puppet("f")
        replica.follow(circle.first)
        replica.say(types.PING)
        circle.first.say(types.FAIL, Failure(replica.id.encode()))
        assert circle.node(replica).has_failed
        circle.run(TIMEOUT / 2 + 0.5)
        assert not circle.node(replica).has_failed
        assert circle.member.texts("replica is reachable again")


class TestGossip:
    def test_pongs_of_others_spare_pings(self, circle: Circle) -> None:
        circle.run(TIMEOUT + 0.35)
        node = circle.node(circle.victim)
        assert not node.ping_sent
        later = circle.network.clock.wall_us() // 1_000_000 * 1000
        node.pong_received = later - 500
        circle.report(circle.first, PRIMARY)
        assert node.pong_received == later

    @pytest.mark.parametrize("ahead", [2, 100_000])
    def test_pongs_of_the_future_do_not_count(self, circle: Circle, ahead: int) -> None:
        circle.run(TIMEOUT + 0.35)
        node = circle.node(circle.victim)
        before = node.pong_received = circle.view.now - 500
        circle.first.tell_of(circle.victim, PRIMARY)
        [entry] = circle.first.gossip
        circle.first.gossip = [entry._replace(pong_received=entry.pong_received + ahead)]
        circle.first.say(types.PING)
        assert node.pong_received == before

    def test_another_address_of_who_does_not_answer(self, circle: Circle) -> None:
        circle.suspect()
        circle.first.tell_of(circle.victim, PRIMARY)
        [entry] = circle.first.gossip
        circle.first.gossip = [entry._replace(ip="10.9.9.9", port=7, bus_port=8, other_port=9)]
        circle.first.say(types.PING)
        node = circle.node(circle.victim)
        assert (node.ip, node.tcp_port, node.bus_port, node.tls_port) == ("10.9.9.9", 7, 8, 9)

    def test_who_answers_stays_where_it_is(self, circle: Circle) -> None:
        circle.first.tell_of(circle.victim, PRIMARY)
        [entry] = circle.first.gossip
        circle.first.gossip = [entry._replace(ip="10.9.9.9")]
        circle.first.say(types.PING)
        assert circle.node(circle.victim).ip == circle.victim.name

    def test_a_tenth_of_the_nodes_is_told_of(self) -> None:
        scene = Scene()
        for number in range(44):
            scene.puppet(f"{number:02}")
        scene.puppets[0].received.clear()
        scene.run(3)
        messages = scene.puppets[0].heard(types.PING) + scene.puppets[0].heard(types.PONG)
        assert {len(message.body.entries) // 104 for message in messages} == {4}
        told = {
            message.body.entries[at : at + 40] for message in messages for at in range(0, 416, 104)
        }
        assert scene.member.id.encode() not in told


class TestTheState:
    def test_a_majority_is_needed(self, circle: Circle) -> None:
        for puppet in (circle.victim, circle.first):
            puppet.answers = False
        circle.run(TIMEOUT * 2)
        assert circle.view.is_ok
        circle.second.answers = False
        circle.run(TIMEOUT * 2)
        assert not circle.view.is_ok
        assert circle.view.why_not_ok == "most primaries are out of reach"
        assert circle.third.received[-1].state == STATE_FAIL
        # Back with the others, it waits for what it may have missed.
        circle.second.answers = True
        circle.network.run_until(lambda: not circle.node(circle.second).is_suspected, 10)
        circle.run(TIMEOUT - 0.3)
        assert not circle.view.is_ok
        circle.run(0.6)
        assert circle.view.is_ok

    def test_all_slots_are_needed_unless_told_otherwise(self, circle: Circle) -> None:
        circle.member.settings.require_full_coverage = True
        circle.member.member.add_slots(range(500, 16384))
        circle.run(0.5)
        assert circle.view.is_ok
        circle.member.member.del_slots([1000])
        circle.run(0.1)
        assert (circle.view.is_ok, circle.view.why_not_ok) == (False, "some slots have no node")
        circle.member.member.add_slots([1000])
        circle.run(0.1)
        assert circle.view.is_ok
        circle.victim.answers = False
        circle.first.say(types.FAIL, Failure(circle.victim.id.encode()))
        circle.run(0.1)
        assert circle.view.why_not_ok == "the node of some slots has failed"
        circle.member.settings.require_full_coverage = False
        circle.run(0.2)
        assert circle.view.is_ok

    def test_a_primary_waits_after_its_start(self, circle: Circle) -> None:
        circle.network.crash("10.0.0.1")
        circle.network.restart("10.0.0.1")
        circle.run(1.8)
        assert not circle.view.is_ok
        # Nobody has a quorum because it does not know of others yet.
        assert circle.view.size == 5
        circle.run(0.5)
        assert circle.view.is_ok

    def test_the_wall_clock_may_be_set(self, circle: Circle) -> None:
        circle.run(TIMEOUT)
        for error in (3600, -7200, 10**6, 0):
            circle.member.clock.error_us = error * 1_000_000
            circle.run(1)
            assert circle.view.is_ok
            assert not any(node.flags & (PFAIL | FAIL) for node in circle.view.nodes.values())


def test_flags_of_replicas_are_those_they_tell(circle: Circle) -> None:
    replica = circle.puppet("f")
    replica.follow(circle.first)
    replica.say(types.PING, flags=REPLICA | 512)
    assert circle.node(replica).cannot_fail_over
    replica.say(types.PING, flags=REPLICA)
    assert not circle.node(replica).cannot_fail_over
