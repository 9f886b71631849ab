"""Who owns a slot, and what happens when nodes do not agree about it."""

from __future__ import annotations

import pytest

from carnelian.cluster.bus.bus_messages import Claim, Extensions
from carnelian.cluster.known import bus_statistics as types
from carnelian.cluster.known.slot_bitmap import bitmap_of, mask_of_slots, slots_in

from .puppets import Puppet, Scene


class Land(Scene):
    """A primary with slots 0 to 99 and epoch 5, and two others."""

    def __init__(self, **settings: object):
        super().__init__(**settings)
        self.member.member.add_slots(range(100))
        self.member.member.set_config_epoch(5)
        self.low = self.puppet("b", range(100, 200), 2)
        self.high = self.puppet("c", range(200, 300), 9)
        self.run(0.1)

    def owners(self, *slots: int) -> list[str]:
        """The first letters of their IDs, ``-`` for none."""
        owners = [self.view.owners[slot] for slot in slots]
        mine = self.member.myself
        return ["me" if o is mine else o.id[0] if o else "-" for o in owners]


@pytest.fixture
def land() -> Land:
    return Land()


def claim(puppet: Puppet, slots: range | list[int], epoch: int) -> None:
    puppet.own(slots, epoch)
    puppet.say(types.PING)


def test_slots_without_an_owner_are_taken_with_any_epoch(land: Land) -> None:
    claim(land.low, range(100, 400), 2)
    assert land.owners(150, 250, 350) == ["b", "c", "b"]


def test_a_newer_epoch_wins(land: Land) -> None:
    told: list[tuple[int, object]] = []
    land.view.listeners.append(lambda slot, owner: told.append((slot, owner)))
    claim(land.high, range(150, 300), 9)
    assert land.owners(149, 150, 250) == ["b", "c", "c"]
    assert told == [(slot, land.node(land.high)) for slot in range(150, 200)]
    assert land.node(land.low).slot_count == 50
    assert slots_in(land.node(land.low).slots) == list(range(100, 150))
    # Who does not know is told by who knows.
    land.low.received.clear()
    land.low.say(types.PING)
    [update] = land.low.heard(types.UPDATE)
    body = update.body
    assert isinstance(body, Claim)
    assert (body.id, body.config_epoch) == (land.high.id.encode(), 9)
    assert slots_in(body.slots) == list(range(150, 300))


def test_an_older_epoch_and_the_same_one_do_not(land: Land) -> None:
    claim(land.low, range(50, 200), 2)
    assert land.owners(50, 99) == ["me", "me"]
    claim(land.low, range(50, 200), 5)
    assert land.owners(50, 99) == ["me", "me"]
    updates = land.low.heard(types.UPDATE)
    assert updates[0].body.id == land.member.id.encode()


def test_a_promised_slot_goes_with_any_epoch(land: Land) -> None:
    land.member.member.promise_slots(range(50, 60), land.low.id)
    claim(land.high, [*range(40, 100), *range(200, 300)], 3)
    assert land.owners(50, 59) == ["me", "me"]
    claim(land.low, range(40, 200), 2)
    assert land.owners(49, 50, 59, 60) == ["me", "b", "b", "me"]
    land.member.member.promise_slots(range(70, 80), land.low.id)
    land.member.member.withdraw_promise()
    claim(land.low, range(40, 200), 2)
    assert land.owners(60, 75) == ["me", "me"]


def test_a_slot_that_was_taken_as_promised_is_ours_until_its_former_owner_knows(land: Land) -> None:
    member = land.member.member
    member.claim_slots(range(100, 110), 5000)
    epoch = land.member.myself.config_epoch
    # It has got a newer epoch in the same moment, for other slots.
    claim(land.low, range(100, 200), epoch + 3)
    assert land.owners(100, 109, 110) == ["me", "me", "b"]
    # By which others would take it for the owner, were ours not newer still.
    assert land.member.myself.config_epoch == epoch + 4
    [*_, told] = land.high.heard(types.PONG)
    assert told.config_epoch == epoch + 4
    assert set(slots_in(told.slots)) >= set(range(100, 110))
    # Now it knows: from here on epochs decide.
    claim(land.low, range(110, 200), epoch + 3)
    claim(land.low, range(100, 200), epoch + 5)
    assert land.owners(100, 109) == ["b", "b"]


def test_what_was_promised_holds_for_some_time(land: Land) -> None:
    land.member.member.claim_slots(range(100, 110), 5000)
    epoch = land.member.myself.config_epoch
    land.run(5.1)
    claim(land.low, range(100, 200), epoch + 3)
    assert land.owners(100, 109) == ["b", "b"]


def test_a_slot_that_was_taken_goes_back_as_promised(land: Land) -> None:
    member = land.member.member
    member.claim_slots(range(100, 110), 5000)
    member.promise_slots(range(100, 110), land.low.id)
    claim(land.low, range(100, 200), 2)
    assert land.owners(100, 109) == ["b", "b"]


def test_keys_of_lost_slots_are_deleted(land: Land) -> None:
    for slot in (10, 20, 60):
        land.member.data.write(slot, slot)
    claim(land.high, [20, 21, *range(200, 300)], 9)
    assert land.owners(10, 20, 21) == ["me", "c", "c"]
    assert sorted(land.member.data.writes) == [10, 60]


def test_who_loses_all_follows_the_new_owner(land: Land) -> None:
    land.member.data.write(10, 1)
    land.view.migrating_to[10] = land.node(land.low)
    claim(land.high, [*range(100), *range(200, 300)], 9)
    assert land.member.myself.primary is land.node(land.high)
    assert land.member.data.address == (land.high.name, 6379)
    # Its data is nothing to go on from there.
    assert land.member.began_anew
    # Its keys are those of the primary soon: none are deleted before.
    assert land.member.data.writes == {10: [1]}
    assert not land.view.migrating_to
    assert land.member.myself.shard_id == land.node(land.high).shard_id


def test_who_loses_all_stays_if_it_may_not_migrate() -> None:
    land = Land(allow_replica_migration=False)
    land.member.data.write(10, 1)
    claim(land.high, [*range(100), *range(200, 300)], 9)
    assert land.member.myself.is_primary
    assert not land.member.data.writes
    # But whoever has what it had, and nothing else, has replaced it.
    land.member.member.add_slots(range(1000, 1010))
    claim(land.low, range(1000, 1010), 10)
    assert land.member.myself.primary is land.node(land.low)
    assert land.member.began_anew


def test_who_was_replaced_within_its_shard_goes_on_with_its_data(land: Land) -> None:
    land.low.extensions = Extensions(shard_id=land.member.myself.shard_id)
    claim(land.low, range(100, 200), 10)
    claim(land.low, range(200), 11)
    assert land.member.myself.primary is land.node(land.low)
    assert not land.member.began_anew


def test_replicas_go_where_the_slots_of_their_primary_go(land: Land) -> None:
    land.member.member.flush_slots()
    land.member.member.replicate(land.low.id)
    land.run(0.1)
    claim(land.high, range(100, 300), 9)
    assert land.member.myself.primary is land.node(land.high)
    assert land.member.began_anew


def test_what_is_on_its_way_to_us_stays_until_an_administrator_says_so(land: Land) -> None:
    land.member.member.set_slot_importing(150, land.low.id)
    claim(land.high, range(140, 160), 9)
    assert land.owners(149, 150, 151) == ["c", "b", "c"]
    land.member.member.set_slot_stable(150)
    claim(land.high, range(140, 161), 9)
    assert land.owners(150, 160) == ["c", "c"]


class TestSlotsThatNobodyClaims:
    def test_they_stay_with_their_owner_but_anybody_may_take_them(self, land: Land) -> None:
        claim(land.high, range(200, 290), 9)
        assert land.owners(289, 290, 299) == ["c"] * 3
        assert land.view.is_unclaimed(295) and not land.view.is_unclaimed(289)
        claim(land.low, range(295, 310), 2)
        assert land.owners(294, 295) == ["c", "b"]
        assert not land.view.is_unclaimed(295)

    def test_they_are_not_told_of(self, land: Land) -> None:
        claim(land.high, range(200, 290), 9)
        claim(land.low, range(200, 210), 2)
        update = land.low.heard(types.UPDATE)[-1].body
        assert slots_in(update.slots) == list(range(200, 290))

    def test_they_may_be_claimed_again(self, land: Land) -> None:
        claim(land.high, range(200, 290), 9)
        claim(land.high, range(200, 300), 9)
        assert not land.view.is_unclaimed(295)


class TestUpdates:
    def update(self, land: Land, about: str, epoch: int, slots: range) -> None:
        bitmap = bitmap_of(mask_of_slots(slots))
        land.low.say(types.UPDATE, Claim(about.encode(), epoch, bitmap))

    def test_news_of_a_node(self, land: Land) -> None:
        self.update(land, land.high.id, 10, range(50, 300))
        assert land.owners(49, 50, 150) == ["me", "c", "c"]
        assert land.node(land.high).config_epoch == 10

    def test_a_replica_that_is_a_primary_now(self, land: Land) -> None:
        replica = land.puppet("d")
        replica.follow(land.high)
        replica.say(types.PING)
        assert land.node(replica).is_replica
        self.update(land, replica.id, 10, range(200, 300))
        node = land.node(replica)
        assert node.is_primary and node.primary is None and node.slot_count == 100

    @pytest.mark.parametrize("epoch", [8, 9])
    def test_what_is_no_news(self, land: Land, epoch: int) -> None:
        self.update(land, land.high.id, epoch, range(300))
        assert land.owners(0, 150) == ["me", "b"]

    def test_of_nobody_known_and_of_us(self, land: Land) -> None:
        self.update(land, "f" * 40, 100, range(300))
        self.update(land, land.member.id, 100, range(300))
        assert land.owners(0, 150, 250) == ["me", "b", "c"]
        assert land.member.myself.config_epoch == 5

    def test_by_nobody_known(self, land: Land) -> None:
        stranger = Puppet(land, "10.0.0.99", "f")
        bitmap = bitmap_of(mask_of_slots(range(300)))
        stranger.say(types.UPDATE, Claim(land.high.id.encode(), 10, bitmap))
        assert land.owners(0) == ["me"]


class TestCollisions:
    def test_the_smaller_id_takes_a_new_epoch(self, land: Land) -> None:
        mine = land.member.id
        greater = land.puppet("z", range(400, 410), 20)
        land.member.myself.config_epoch = 20
        greater.say(types.PING)
        assert mine < greater.id
        assert land.member.myself.config_epoch == land.view.current_epoch == 21
        assert b" 21 connected 0-99" in land.member.node.disk["perhaps"][0]

    def test_the_greater_one_keeps_it(self, land: Land) -> None:
        smaller = land.puppet("0", range(400, 410), 20)
        land.member.myself.config_epoch = 20
        smaller.say(types.PING)
        assert land.member.myself.config_epoch == 20

    def test_replicas_do_not_collide(self, land: Land) -> None:
        replica = land.puppet("z")
        replica.follow(land.member)
        replica.say(types.PING)
        assert land.member.myself.config_epoch == 5


class TestRoles:
    def test_a_failover_elsewhere_leaves_no_slot_alone(self, land: Land) -> None:
        """The old primary tells of the new one, before that has been heard itself."""
        replica = land.puppet("d")
        replica.follow(land.high)
        replica.say(types.PING)
        told: list[object] = []
        land.view.listeners.append(lambda slot, owner: told.append(owner))
        land.high.state.update(primary=replica.id.encode(), flags=2, config_epoch=10)
        land.high.say(types.PING)
        node = land.node(replica)
        assert node.is_primary and node.slot_count == 100 and node.config_epoch == 10
        assert land.node(land.high).primary is node
        assert set(told) == {node}

    def test_who_goes_to_another_shard_leaves_its_slots(self, land: Land) -> None:
        land.high.follow(land.low)
        land.high.state["config_epoch"] = 2
        land.high.say(types.PING)
        assert land.owners(200, 299) == ["-", "-"]
        assert land.node(land.high).primary is land.node(land.low)
        assert land.node(land.high).shard_id == land.node(land.low).shard_id

    def test_what_comes_late_costs_no_slots(self, land: Land) -> None:
        replica = land.puppet("d")
        replica.follow(land.high)
        replica.say(types.PING)
        before = dict(replica.state)
        replica.lead()
        replica.own(range(200, 300), 10)
        replica.say(types.PING)
        assert land.owners(200) == ["d"]
        after = dict(replica.state)
        replica.state = before
        replica.say(types.PING)
        assert land.owners(200) == ["d"]
        replica.state = after
        replica.say(types.PING)
        assert land.node(replica).is_primary
        # If it is said again, it is so.
        replica.state = before
        replica.say(types.PING)
        replica.say(types.PING)
        assert land.node(replica).is_replica and land.owners(200) == ["c"]

    def test_a_replica_of_a_replica_follows_the_primary_of_that(self, land: Land) -> None:
        land.member.member.flush_slots()
        land.member.member.replicate(land.low.id)
        land.run(0.1)
        land.low.follow(land.high)
        land.low.say(types.PING)
        assert land.member.myself.primary is land.node(land.high)
        assert land.member.data.address == (land.high.name, 6379)

    def test_a_replica_that_was_given_slots_loses_them_with_its_primary(self, land: Land) -> None:
        land.member.member.flush_slots()
        land.member.member.replicate(land.low.id)
        land.member.member.add_slots([5000])
        land.low.follow(land.high)
        land.low.say(types.PING)
        assert land.member.myself.primary is land.node(land.high)
        assert not land.member.myself.slot_count

    def test_two_that_follow_each_other_are_left_alone(self, land: Land) -> None:
        land.member.member.flush_slots()
        land.member.member.replicate(land.low.id)
        land.run(0.1)
        land.low.state.update(primary=land.member.id.encode(), flags=2)
        land.low.say(types.PING)
        land.run(0.3)
        assert land.member.myself.primary is land.node(land.low)
