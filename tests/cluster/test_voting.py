"""Whom a primary votes for."""

from __future__ import annotations

from typing import Any

import pytest

from carnelian.cluster.bus.bus_messages import FORCE_ACK, Claim, Failure
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.slot_bitmap import bitmap_of, mask_of_slots

from .puppets import Puppet, Scene
from .simulated_cluster import NODE_TIMEOUT


class Ballot(Scene):
    """A primary that is asked for its vote, another, and a failed one with two replicas."""

    def __init__(self) -> None:
        super().__init__()
        self.member.member.add_slots(range(100))
        self.member.member.set_config_epoch(1)
        self.primary = self.puppet("b", range(100, 200), 2)
        self.other = self.puppet("c", range(200, 300), 3)
        self.first = self.puppet("d")
        self.second = self.puppet("e")
        for replica in (self.first, self.second):
            replica.follow(self.primary)
            replica.say(types.PING)
        self.run(0.1)

    def fail(self) -> None:
        self.primary.answers = False
        self.other.say(types.FAIL, Failure(self.primary.id.encode()))

    def ask(self, who: Puppet, epoch: int, **changes: Any) -> bool:
        """Whether it votes."""
        before = len(who.heard(types.AUTH_ACK))
        who.see_epoch(epoch)
        who.say(types.AUTH_REQUEST, **changes)
        self.run(0.1)
        return len(who.heard(types.AUTH_ACK)) > before

    @property
    def objection(self) -> str:
        return self.member.texts("Failover auth denied")[-1].partition(": ")[2]


@pytest.fixture
def ballot() -> Ballot:
    return Ballot()


def test_a_replica_of_a_failed_primary_is_voted_for(ballot: Ballot) -> None:
    ballot.fail()
    assert ballot.ask(ballot.first, 4)
    assert ballot.view.last_vote_epoch == ballot.view.current_epoch == 4
    [vote] = ballot.first.heard(types.AUTH_ACK)
    assert vote.current_epoch == 4
    # Before anybody heard of it, it was on the disk.
    assert b"currentEpoch 4 lastVoteEpoch 4" in ballot.member.node.disk["nodes"]
    assert ballot.member.node.disk["perhaps"][0].endswith(b"lastVoteEpoch 4\n")


def test_one_vote_in_an_epoch(ballot: Ballot) -> None:
    ballot.fail()
    assert ballot.ask(ballot.first, 4)
    assert not ballot.ask(ballot.second, 4)
    assert ballot.objection == "already voted for epoch 4"
    # Nor after a crash.
    ballot.network.crash("10.0.0.1")
    ballot.network.restart("10.0.0.1")
    for puppet in ballot.puppets:
        puppet.wire = None
    ballot.primary.answers = False
    ballot.run(3)
    assert not ballot.ask(ballot.second, 4)
    assert ballot.objection == "already voted for epoch 4"


def test_no_vote_for_the_same_primary_soon(ballot: Ballot) -> None:
    ballot.fail()
    assert ballot.ask(ballot.first, 4)
    assert not ballot.ask(ballot.second, 5)
    assert ballot.objection.startswith("can't vote about this master before ")
    ballot.run(NODE_TIMEOUT * 2 / 1000)
    assert ballot.ask(ballot.second, 6)


def test_no_vote_in_an_epoch_that_is_over(ballot: Ballot) -> None:
    ballot.fail()
    ballot.other.see_epoch(9)
    ballot.other.say(types.PING)
    assert not ballot.ask(ballot.first, 4)
    assert ballot.objection == "reqEpoch (4) < curEpoch(9)"


def test_no_vote_against_a_primary_that_works_unless_forced(ballot: Ballot) -> None:
    assert not ballot.ask(ballot.first, 4)
    assert ballot.objection == "its master is up"
    assert ballot.ask(ballot.first, 5, message_flags=FORCE_ACK)


def test_no_vote_for_a_primary(ballot: Ballot) -> None:
    assert not ballot.ask(ballot.other, 4)
    assert ballot.objection == "it is a master node"


def test_no_vote_for_a_replica_of_nobody_known(ballot: Ballot) -> None:
    ballot.first.state["primary"] = b"f" * 40
    ballot.first.say(types.PING)
    ballot.member.member.forget(ballot.primary.id)
    ballot.first.state["primary"] = b"f" * 40
    assert not ballot.ask(ballot.first, 4)
    assert ballot.objection == "I don't know its master"


def test_no_vote_for_slots_that_somebody_has_taken_since(ballot: Ballot) -> None:
    ballot.fail()
    ballot.other.own(range(150, 300), 7)
    ballot.other.say(types.PING)
    assert not ballot.ask(ballot.first, 8)
    assert ballot.objection == "slot 150 epoch (7) > reqEpoch (2)"


def test_who_asks_with_an_old_epoch_is_told_of_the_newer_one(ballot: Ballot) -> None:
    """Its primary has taken an epoch and failed before the replica could hear of it."""
    ballot.primary.own(range(100, 200), 6)
    ballot.primary.say(types.PING)
    ballot.fail()
    assert not ballot.ask(ballot.first, 7)
    assert ballot.objection == "slot 100 epoch (6) > reqEpoch (2)"
    [update] = ballot.first.heard(types.UPDATE)
    slots = bitmap_of(mask_of_slots(range(100, 200)))
    assert update.body == Claim(ballot.primary.id.encode(), 6, slots)
    ballot.first.state["config_epoch"] = 6
    assert ballot.ask(ballot.first, 8)


def test_who_has_no_slots_has_no_vote(ballot: Ballot) -> None:
    ballot.fail()
    ballot.member.member.flush_slots()
    assert not ballot.ask(ballot.first, 4)
    assert not ballot.member.texts("Failover auth")


def test_who_is_not_known_gets_none(ballot: Ballot) -> None:
    ballot.fail()
    stranger = Puppet(ballot, "10.0.0.99", "f")
    stranger.follow(ballot.primary)
    assert not ballot.ask(stranger, 4)


def test_a_vote_that_cannot_be_kept_is_not_given(ballot: Ballot) -> None:
    ballot.fail()
    ballot.member.disk_is_full = True
    assert not ballot.ask(ballot.first, 4)
    assert ballot.member.gave_up == "Fatal: can't update cluster config file."
