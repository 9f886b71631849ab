"""A replica stands for its primary."""

from __future__ import annotations

from typing import Any

import pytest

from carnelian.cluster.bus.bus_messages import FORCE_ACK, Failure
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.node_flags import NO_FAILOVER, REPLICA
from carnelian.cluster.known.slot_bitmap import slots_in

from .puppets import Puppet, Scene
from .simulated_cluster import NODE_TIMEOUT

SLOTS = range(100, 200)


class Candidacy(Scene):
    """A replica whose primary fails, another replica, and two primaries that vote when told to."""

    def __init__(self, age: int | None = 0, **settings: object):
        super().__init__(**settings)
        self.primary = self.puppet("b", SLOTS, 2)
        self.voters = [self.puppet("c", range(100), 1), self.puppet("d", range(200, 300), 3)]
        self.sibling = self.puppet("e")
        self.sibling.follow(self.primary)
        self.sibling.say(types.PING)
        self.member.member.replicate(self.primary.id)
        self.age = age
        self.member.data_age = lambda: self.age  # type: ignore[method-assign]
        self.run(0.1)

    def fail(self) -> None:
        self.primary.answers = False
        self.voters[0].say(types.FAIL, Failure(self.primary.id.encode()))

    def requests(self) -> list:
        return self.voters[0].heard(types.AUTH_REQUEST)

    def vote(self, voter: Puppet, **changes: Any) -> None:
        voter.see_epoch(self.view.current_epoch)
        voter.say(types.AUTH_ACK, **changes)
        self.run(0.1)


def delay_of(scene: Candidacy) -> tuple[int, int]:
    """Milliseconds and rank of the last election that was planned."""
    words = scene.member.texts("Start of election delayed")[-1].split()
    return int(words[5]), int(words[8].strip("#(,"))


def test_it_asks_after_a_while_and_wins_with_a_majority() -> None:
    scene = Candidacy()
    scene.fail()
    scene.run(0.2)
    delay, rank = delay_of(scene)
    assert rank == 0
    assert 500 <= delay < 1000
    assert not scene.requests()
    # The sibling is told at once how much there is here.
    assert scene.sibling.heard(types.PONG)
    scene.run(1)
    [request] = scene.requests()
    assert request.current_epoch == scene.view.current_epoch == 4
    assert (request.config_epoch, slots_in(request.slots)) == (2, list(SLOTS))
    assert (request.primary, request.message_flags) == (scene.primary.id.encode(), 0)
    assert scene.member.node.disk["perhaps"][0].startswith(b"")
    assert b"currentEpoch 4" in scene.member.node.disk["perhaps"][0]
    # Three primaries have slots: two votes are needed.
    scene.vote(scene.voters[0])
    scene.vote(scene.voters[0])
    assert scene.member.myself.is_replica
    scene.vote(scene.voters[1])
    assert scene.member.myself.is_primary
    assert scene.member.data.address is None
    assert slots_in(scene.member.myself.slots) == list(SLOTS)
    assert scene.member.myself.config_epoch == 4
    assert not scene.node(scene.primary).slot_count
    for voter in scene.voters:
        pong = voter.heard(types.PONG)[-1]
        assert (pong.config_epoch, slots_in(pong.slots), pong.primary) == (4, list(SLOTS), b"")


def test_votes_that_do_not_count() -> None:
    scene = Candidacy()
    scene.fail()
    scene.run(1.2)
    # Of an election before, of a replica, of one who is not known.
    scene.voters[0].say(types.AUTH_ACK, current_epoch=3)
    scene.vote(scene.voters[1])
    scene.vote(scene.sibling)
    scene.vote(Puppet(scene, "10.0.0.99", "f"))
    assert scene.member.myself.is_replica
    scene.vote(scene.voters[0])
    assert scene.member.myself.is_primary


def test_an_election_that_nobody_answers_is_tried_again() -> None:
    scene = Candidacy()
    scene.fail()
    scene.run(2)
    assert len(scene.requests()) == 1
    scene.run(NODE_TIMEOUT * 2 / 1000)
    # Its time is over: late votes are in vain.
    scene.vote(scene.voters[0])
    scene.vote(scene.voters[1])
    assert scene.member.myself.is_replica
    scene.run(NODE_TIMEOUT * 2 / 1000 + 1.2)
    assert [request.current_epoch for request in scene.requests()] == [4, 5]
    scene.vote(scene.voters[0])
    scene.vote(scene.voters[1])
    assert scene.member.myself.config_epoch == 5


def test_who_has_more_of_the_data_is_first() -> None:
    scene = Candidacy()
    scene.sibling.state["offset"] = 10
    scene.sibling.say(types.PING)
    scene.fail()
    scene.run(0.2)
    delay, rank = delay_of(scene)
    assert rank == 1
    assert 1500 <= delay < 2000


def test_a_rank_that_gets_worse_while_waiting() -> None:
    scene = Candidacy()
    scene.fail()
    scene.run(0.2)
    scene.sibling.state["offset"] = 10
    scene.sibling.say(types.PING)
    scene.run(0.2)
    assert scene.member.texts("Replica rank updated to #1, added 1000 milliseconds of delay.")
    scene.run(1)
    assert not scene.requests()
    scene.run(0.8)
    assert scene.requests()


def test_who_does_not_stand_has_no_rank() -> None:
    scene = Candidacy()
    scene.sibling.state.update(offset=10, flags=REPLICA | NO_FAILOVER)
    scene.sibling.say(types.PING)
    scene.fail()
    scene.run(0.2)
    assert delay_of(scene)[1] == 0


# Ten timeouts, one for the failure itself, and the time between two pings of a primary.
OLDEST = NODE_TIMEOUT * 11 + 10_000


@pytest.mark.parametrize(
    ("age", "factor", "stands"),
    [
        (0, 10, True),
        (OLDEST, 10, True),
        (OLDEST + 1, 10, False),
        (NODE_TIMEOUT * 2 + 10_001, 1, False),
        (None, 10, False),
        (10**9, 0, True),
        (None, 0, True),
    ],
)
def test_old_data_is_not_stood_for(age: int | None, factor: int, stands: bool) -> None:
    scene = Candidacy(age, replica_validity_factor=factor)
    scene.fail()
    scene.run(NODE_TIMEOUT / 1000 + 5.2)
    assert bool(scene.requests()) == stands
    if not stands:
        # It is told when it has lasted.
        assert scene.member.texts("cluster-replica-validity-factor")


def test_who_may_not_does_not_stand() -> None:
    scene = Candidacy(replica_no_failover=True)
    assert scene.voters[0].received[-1].flags & NO_FAILOVER
    scene.fail()
    scene.run(3)
    assert not scene.requests()
    # An administrator may still want it.
    scene.member.member.failover(force=True)
    scene.run(0.2)
    assert scene.requests()


def test_it_may_be_allowed_to_at_any_time() -> None:
    scene = Candidacy(replica_no_failover=True)
    scene.member.settings.replica_no_failover = False
    scene.member.member.settings_changed()
    scene.fail()
    scene.run(1.3)
    assert scene.requests()


def test_nobody_stands_for_a_primary_without_slots() -> None:
    scene = Candidacy()
    scene.member.member.del_slots(SLOTS)
    scene.fail()
    scene.run(3)
    assert not scene.requests()


def test_why_nothing_happens_is_told_now_and_then() -> None:
    scene = Candidacy(age=None)
    scene.fail()
    scene.run(60)
    assert 4 <= len(scene.member.texts("Currently unable to failover")) <= 6


def test_votes_for_the_place_of_one_primary_are_not_for_that_of_another() -> None:
    scene = Candidacy()
    scene.fail()
    scene.run(1.2)
    scene.vote(scene.voters[0])
    scene.member.member.replicate(scene.voters[1].id)
    scene.voters[1].answers = False
    scene.voters[0].say(types.FAIL, Failure(scene.voters[1].id.encode()))
    scene.vote(scene.primary, flags=1)
    scene.run(0.2)
    assert scene.member.myself.is_replica
    assert len(scene.requests()) == 1


class TestByHand:
    def test_in_agreement_with_the_primary(self) -> None:
        scene = Candidacy()
        scene.primary.state["offset"] = 50
        scene.member.member.failover()
        scene.run(0.2)
        assert len(scene.primary.heard(types.MFSTART)) == 1
        # Only what a primary says while its clients are paused counts.
        scene.primary.say(types.PING)
        scene.run(0.3)
        assert not scene.requests()
        scene.primary.say(types.PING, message_flags=1)
        assert scene.member.texts("Received replication offset for paused master manual failover")
        scene.run(0.3)
        assert not scene.requests()
        scene.member.node.disk["offset"] = 50
        scene.run(0.2)
        [request] = scene.requests()
        assert request.message_flags == FORCE_ACK
        for voter in scene.voters:
            scene.vote(voter)
        assert scene.member.myself.is_primary
        assert not scene.member.member.membership.manual

    def test_not_by_who_has_no_data_yet(self) -> None:
        """The stream of a primary whose data comes from a file is empty, too."""
        scene = Candidacy(age=None)
        scene.primary.state["offset"] = scene.member.node.disk["offset"] = 0
        scene.member.member.failover()
        scene.primary.say(types.PING, message_flags=1)
        scene.run(0.5)
        assert not scene.requests()
        scene.age = 0
        scene.run(0.3)
        assert len(scene.requests()) == 1

    def test_it_is_given_up_after_five_seconds(self) -> None:
        scene = Candidacy()
        scene.member.member.failover()
        scene.run(4.8)
        assert not scene.member.texts("Manual failover timed out.")
        scene.run(0.5)
        assert scene.member.texts("Manual failover timed out.")
        scene.primary.say(types.PING, message_flags=1)
        scene.run(1)
        assert not scene.requests()

    def test_by_force(self) -> None:
        scene = Candidacy(age=None)
        scene.primary.answers = False
        scene.member.member.failover(force=True)
        scene.run(0.2)
        assert scene.requests()[0].message_flags == FORCE_ACK
        assert not scene.primary.heard(types.MFSTART)
        for voter in scene.voters:
            scene.vote(voter)
        assert scene.member.myself.is_primary

    def test_it_may_be_asked_for_again_at_once(self) -> None:
        scene = Candidacy()
        for count in (1, 2):
            scene.member.member.failover(force=True)
            scene.run(0.2)
            assert len(scene.requests()) == count

    def test_takeover(self) -> None:
        scene = Candidacy()
        scene.member.member.failover(takeover=True)
        assert scene.member.myself.is_primary
        assert slots_in(scene.member.myself.slots) == list(SLOTS)
        assert scene.member.myself.config_epoch == scene.view.current_epoch == 4
        scene.run(0.2)
        assert not scene.requests()
        assert scene.voters[0].heard(types.PONG)[-1].config_epoch == 4
        # It is on the disk already.
        assert b"myself,master - 0 0 4 connected 100-199" in scene.member.node.disk["nodes"]
