"""A Sentinel finds out who there is, who is down, and what to do about it; in a simulation."""

from __future__ import annotations

import pytest

from carnelian.sentinel.known.instances import Obedience, Step
from carnelian.sentinel.known.watch import SimulatedFailure

from .simulated_sentinels import FAILOVER_TIMEOUT, NAME, Fleet, SimulatedSentinel
from .simulated_servers import PORT, DataClient


def met(servers: int = 3, sentinels: int = 3, quorum: int = 2) -> Fleet:
    fleet = Fleet(1, servers, sentinels, quorum)
    fleet.wait_for_meeting()
    return fleet


def kinds(fleet: Fleet, node: str) -> list[str]:
    return [each.kind for each in fleet.happenings if each.node == node]


class TestMeeting:
    def test_replicas_and_sentinels_are_found(self) -> None:
        fleet = met(servers=4, sentinels=5)
        for each in fleet.sentinels:
            assert sorted(each.primary.replicas) == [f"r{n}:{PORT}" for n in (1, 2, 3)]
            assert len(each.primary.sentinels) == 4
            assert each.watch.my_id not in each.primary.sentinels
        assert "+slave" in kinds(fleet, "s0")
        assert "+sentinel" in kinds(fleet, "s0")

    def test_what_is_known_is_saved(self) -> None:
        fleet = met()
        file = b"\n".join(fleet.sentinel("s0").node.disk["file"]).decode()
        assert f"sentinel known-replica {NAME} r1 {PORT}" in file
        assert f"sentinel known-sentinel {NAME} s1 26379 {fleet.sentinel('s1').watch.my_id}" in file

    def test_a_sentinel_remembers_after_a_crash(self) -> None:
        fleet = met()
        my_id = fleet.sentinel("s0").watch.my_id
        fleet.network.crash("s0")
        fleet.network.restart("s0")
        again = fleet.sentinel("s0")
        assert again.watch.my_id == my_id
        assert len(again.primary.replicas) == 2
        assert len(again.primary.sentinels) == 2

    def test_a_sentinel_with_a_new_id_takes_the_place_of_the_old_one(self) -> None:
        fleet = met()
        old = fleet.sentinel("s2").watch.my_id
        fleet.network.crash("s2")
        fleet.network.nodes["s2"].disk.clear()
        fleet.network.restart("s2")
        fleet.run(5)
        known = fleet.sentinel("s0").primary.sentinels
        assert len(known) == 2
        assert old not in known
        assert "+sentinel-invalid-addr" in kinds(fleet, "s0")

    def test_a_sentinel_that_moves_is_followed(self) -> None:
        fleet = met()
        moved = fleet.sentinel("s2")
        hello = f"s9,26379,{moved.watch.my_id},0,{NAME},r0,{PORT},0"
        fleet.sentinel("s0").sentinel.hello.process(hello.encode())
        known = fleet.sentinel("s0").primary.sentinels
        assert known[moved.watch.my_id].address.host == "s9"
        assert len(known) == 2
        assert "+sentinel-address-switch" in kinds(fleet, "s0")
        # It is where it was, and says so.
        fleet.run(5)
        assert known[moved.watch.my_id].address.host == "s2"

    def test_sentinels_of_two_primaries_share_a_link(self) -> None:
        fleet = Fleet(lines=[f"sentinel monitor other r1 {PORT} 2"])
        fleet.run(6)
        watch = fleet.sentinel("s0").watch
        one, other = watch.primaries[NAME], watch.primaries["other"]
        assert one.sentinels.keys() == other.sentinels.keys()
        for run_id, peer in one.sentinels.items():
            assert peer.link is other.sentinels[run_id].link
            assert len(peer.link.owners) == 2
        fleet.sentinel("s0").sentinel.roster.remove_primary(other)
        assert all(len(peer.link.owners) == 1 for peer in one.sentinels.values())
        fleet.run(5)
        assert not any(peer.s_down for peer in one.sentinels.values())

    @pytest.mark.parametrize(
        "hello",
        [b"", b"a,b", b"s9,26379,x,0,unknown,r0,6379,0", b"1,2,3,4,5,6,7,8,9", b"\xff,,,,,,,"],
    )
    def test_messages_of_no_use_are_ignored(self, hello: bytes) -> None:
        fleet = met()
        fleet.sentinel("s0").sentinel.hello.process(hello)
        assert len(fleet.sentinel("s0").primary.sentinels) == 2


class TestBeingDown:
    def test_one_sentinel_alone_does_not_decide(self) -> None:
        fleet = met()
        fleet.network.partition(["s0"], ["r0", "r1", "r2", "s1", "s2"])
        fleet.run(30)
        primary = fleet.sentinel("s0").primary
        assert primary.s_down
        assert not primary.o_down
        assert "+try-failover" not in kinds(fleet, "s0")
        fleet.network.heal()
        fleet.run(20)
        assert not primary.s_down
        assert "-sdown" in kinds(fleet, "s0")

    def test_errors_are_no_answers(self) -> None:
        fleet = met()
        fleet.server("r0").failing = {b"PING"}
        fleet.run(3.5)
        assert fleet.events("+sdown")

    def test_a_primary_that_says_it_is_a_replica_is_down(self) -> None:
        fleet = met(sentinels=1)
        fleet.server("r0").follow(("nobody", 1))
        fleet.run(25)
        assert not fleet.sentinel("s0").primary.s_down
        fleet.run(20)
        assert fleet.sentinel("s0").primary.s_down

    def test_a_primary_that_has_lost_its_data_is_down(self) -> None:
        fleet = met(sentinels=1)
        each = fleet.sentinel("s0")
        each.primary.reboot_down_after = 500
        each.watch.periods.info = 200
        fleet.run(1)
        fleet.server("r0").run_id = "f" * 40
        fleet.server("r0").failing = {b"PING"}
        fleet.run(1.2)
        assert each.primary.rebooting
        assert each.primary.s_down
        assert "+reboot" in kinds(fleet, "s0")

    def test_the_quorum_counts(self) -> None:
        fleet = met(sentinels=3, quorum=3)
        fleet.network.crash("s2")
        fleet.network.crash("r0")
        fleet.run(20)
        assert fleet.sentinel("s0").primary.s_down
        assert not fleet.events("+odown")
        fleet.network.restart("s2")
        fleet.network.run_until(lambda: bool(fleet.events("+switch-master")), 30)

    def test_nothing_is_done_after_a_leap_of_time(self) -> None:
        fleet = met()
        fleet.network.clock.advance(10_000)
        fleet.run(1)
        for each in fleet.sentinels:
            assert each.watch.tilt_since is not None
            assert not each.primary.s_down
        assert fleet.sentinel("s0").sentinel.is_down(
            fleet.sentinel("s0").primary.address, 0, "*"
        ) == (False, "*", 0)
        fleet.run(20)
        fleet.network.crash("r0")
        fleet.run(5)
        assert not fleet.events("+sdown")
        fleet.network.run_until(lambda: bool(fleet.events("-tilt", "+sdown")), 10)
        fleet.network.run_until(lambda: bool(fleet.events("+switch-master")), 30)


class TestFailingOver:
    def test_a_replica_takes_over(self) -> None:
        fleet = met()
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: len(fleet.events("+switch-master")) == 3, 20)
        new = {each.primary.address.host for each in fleet.sentinels}
        assert len(new) == 1
        assert new < {"r1", "r2"}
        fleet.network.restart("r0")
        fleet.wait_for_agreement(30)
        assert "+convert-to-slave" not in kinds(fleet, "s0") or fleet.server("r0").follows

    def test_one_leader_alone(self) -> None:
        fleet = met(sentinels=5, quorum=3)
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: len(fleet.events("+switch-master")) == 5, 20)
        assert len({each.text for each in fleet.events("leads")}) == len(fleet.events("leads"))

    def test_without_a_majority_nobody_leads(self) -> None:
        fleet = met(sentinels=5, quorum=2)
        for name in ("s2", "s3", "s4"):
            fleet.network.crash(name)
        fleet.network.crash("r0")
        fleet.run(40)
        assert fleet.events("+odown")
        assert fleet.events("-failover-abort-not-elected")
        assert not fleet.events("+elected-leader")

    def test_a_lower_priority_is_chosen_first(self) -> None:
        fleet = met(servers=4)
        fleet.server("r1").priority = 200
        fleet.server("r2").priority = 50
        fleet.server("r3").priority = 0
        fleet.run(12)
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("+promoted-slave")), 20)
        assert " r2 " in fleet.events("+promoted-slave")[0].text

    def test_then_the_one_with_more_data(self) -> None:
        fleet = met()
        fleet.run(12)
        for replica in fleet.sentinel("s0").primary.replicas.values():
            replica.offset = 10 if replica.address.host == "r1" else 11
        best = fleet.sentinel("s0").sentinel.failovers.best_replica(fleet.sentinel("s0").primary)
        assert best is not None
        assert best.address.host == "r2"

    def test_then_the_first_id(self) -> None:
        fleet = met()
        primary = fleet.sentinel("s0").primary
        for replica in primary.replicas.values():
            replica.offset = 10
            replica.run_id = None if replica.address.host == "r1" else "z" * 40
        best = fleet.sentinel("s0").sentinel.failovers.best_replica(primary)
        assert best is not None
        assert best.address.host == "r2"

    def test_who_was_without_its_primary_for_long_is_not_chosen(self) -> None:
        fleet = met()
        primary = fleet.sentinel("s0").primary
        for replica in primary.replicas.values():
            replica.link_down_ms = primary.down_after * 10 + 1
        assert fleet.sentinel("s0").sentinel.failovers.best_replica(primary) is None

    def test_a_failover_without_a_good_replica_is_given_up(self) -> None:
        fleet = met()
        for name in ("r1", "r2"):
            fleet.server(name).priority = 0
        fleet.run(12)
        fleet.network.crash("r0")
        fleet.run(8)
        assert fleet.events("-failover-abort-no-good-slave")
        assert all(each.primary.step is Step.NONE for each in fleet.sentinels)

    def test_a_replica_that_does_not_obey(self) -> None:
        fleet = met(servers=2)
        fleet.server("r1").failing = {b"EXEC"}
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("-failover-abort-slave-timeout")), 40)
        assert all(each.primary.promoted is None for each in fleet.sentinels)
        fleet.server("r1").failing = set()
        fleet.network.run_until(lambda: bool(fleet.events("+switch-master")), 60)

    def test_replicas_follow_a_few_at_a_time(self) -> None:
        fleet = met(servers=5)
        fleet.network.crash("r0")
        most = 0

        def done() -> bool:
            nonlocal most
            for each in fleet.sentinels:
                busy = [
                    replica
                    for replica in each.primary.replicas.values()
                    if replica.obedience in (Obedience.SENT, Obedience.IN_PROGRESS)
                ]
                most = max(most, len(busy))
            return bool(fleet.events("+failover-end"))

        fleet.network.run_until(done, 60)
        assert most == 1
        assert len(fleet.events("+slave-reconf-done")) == 3

    def test_a_failover_ends_in_time(self) -> None:
        fleet = met(servers=3)
        fleet.server("r1").failing = {b"EXEC"}
        fleet.server("r1").priority = 200
        fleet.run(12)
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("+failover-end")), 60)
        assert fleet.events("+failover-end-for-timeout")
        # Later it obeys, and is corrected.
        fleet.server("r1").failing = set()
        fleet.network.restart("r0")
        fleet.wait_for_agreement(60)
        assert fleet.events("+fix-slave-config")

    def test_a_forced_failover_needs_no_votes(self) -> None:
        fleet = met()
        each = fleet.sentinel("s0")
        each.sentinel.failovers.begin(each.primary)
        each.primary.forced = True
        fleet.network.run_until(lambda: len(fleet.events("+switch-master")) == 3, 30)
        assert not fleet.events("+sdown")
        fleet.wait_for_agreement(30)
        assert fleet.agreed() != "r0"

    def test_who_failed_lately_waits(self) -> None:
        fleet = met()
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("+try-failover")), 20)
        for each in fleet.sentinels:
            if each.votes and each.votes[0][1] != each.watch.my_id:
                assert not each.sentinel.failovers.begin_if_needed(each.primary)
                assert each.primary.failover_started + 2 * FAILOVER_TIMEOUT > each.watch.now

    @pytest.mark.parametrize(
        "failure", [SimulatedFailure.AFTER_ELECTION, SimulatedFailure.AFTER_PROMOTION]
    )
    def test_a_leader_that_crashes_is_replaced(self, failure: SimulatedFailure) -> None:
        fleet = met()
        for each in fleet.sentinels:
            each.watch.simulated_failure = failure
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: not all(s.node.is_up for s in fleet.sentinels), 30)
        for each in fleet.sentinels:
            each.watch.simulated_failure = SimulatedFailure.NONE
            if not each.node.is_up:
                fleet.network.restart(each.node.name)
        fleet.network.restart("r0")
        fleet.wait_for_agreement(90)


class TestSupersededFailovers:
    """What a leader does that hears of a later failover before its own has come to its end."""

    def leading(self) -> tuple[Fleet, SimulatedSentinel]:
        """A fleet whose failover cannot end, as the new primary is gone."""
        fleet = met()
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("+promoted-slave")), 20)
        leader = fleet.sentinel(fleet.events("+promoted-slave")[0].node)
        fleet.network.crash(leader.primary.current_address.host)
        fleet.run(3)
        assert leader.primary.step is Step.RECONF_SLAVES
        return fleet, leader

    def hear(self, leader: SimulatedSentinel, host: str, epoch: int) -> None:
        (peer, *_) = leader.primary.sentinels.values()
        hello = f"{peer.address.host},26379,{peer.name},{epoch},{NAME},{host},{PORT},{epoch}"
        leader.sentinel.hello.process(hello.encode())

    def test_it_follows_even_to_the_old_primary(self) -> None:
        _, leader = self.leading()
        new = leader.primary.current_address.host
        self.hear(leader, "r0", 9)
        assert leader.primary.current_address.host == "r0"
        assert leader.primary.config_epoch == 9
        assert not leader.primary.failing_over
        assert f"{new}:{PORT}" in leader.primary.replicas
        text = leader.events("+switch-master")[-1].text
        assert text == f"{NAME} {new} {PORT} r0 {PORT}"

    def test_it_goes_on_if_the_new_primary_is_the_same(self) -> None:
        _, leader = self.leading()
        new = leader.primary.current_address.host
        self.hear(leader, new, 9)
        assert leader.primary.failing_over
        assert leader.primary.config_epoch == 9
        assert leader.primary.current_address.host == new

    def test_it_gives_up_what_is_not_decided(self) -> None:
        fleet = met()
        each = fleet.sentinel()
        each.sentinel.failovers.begin(each.primary)
        self.hear(each, "r0", 9)
        assert not each.primary.failing_over
        assert each.primary.config_epoch == 9
        assert not each.events("+switch-master")


class TestVotes:
    def test_a_vote_in_each_epoch(self) -> None:
        fleet = met()
        each = fleet.sentinel("s0")
        vote = each.sentinel.election.vote
        assert vote(each.primary, 5, "a") == ("a", 5)
        assert vote(each.primary, 5, "b") == ("a", 5)
        assert vote(each.primary, 4, "b") == ("a", 5)
        assert vote(each.primary, 6, "b") == ("b", 6)
        assert each.watch.current_epoch == 6

    def test_a_vote_is_on_the_disk_before_it_is_told(self) -> None:
        fleet = met()
        each = fleet.sentinel("s0")
        each.sentinel.election.vote(each.primary, 5, "a")
        file = each.node.disk["file"]
        assert b"sentinel leader-epoch mymaster 5" in file
        assert b"sentinel current-epoch 5" in file

    def test_only_those_who_are_asked_about_a_known_primary_vote(self) -> None:
        fleet = met()
        each = fleet.sentinel("s0")
        address = fleet.sentinel("s0").primary.replicas[f"r1:{PORT}"].address
        assert each.sentinel.is_down(address, 9, "a") == (False, "*", 0)
        assert each.watch.current_epoch == 0


class TestOptions:
    def test_users_and_passwords(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fleet = Fleet(lines=[f"sentinel auth-user {NAME} me", f"sentinel auth-pass {NAME} secret"])
        heard: list[list[bytes]] = []
        execute = DataClient.execute

        def overhear(client: DataClient, words: list[bytes]) -> bytes:
            heard.append(words)
            return execute(client, words)

        monkeypatch.setattr(DataClient, "execute", overhear)
        fleet.run(2)
        assert heard.count([b"AUTH", b"me", b"secret"]) == 2 * 3 * 3

    def test_renamed_commands(self) -> None:
        fleet = Fleet(lines=[f"sentinel rename-command {NAME} ping HELLOTHERE"])
        fleet.run(5)
        # The server has no such command, and says OK, which is no answer to PING.
        assert fleet.events("+sdown")
        assert not any(peer.s_down for peer in fleet.sentinel("s0").primary.sentinels.values())
