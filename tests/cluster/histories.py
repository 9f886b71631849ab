"""Histories of clusters in which everything goes wrong, and what must hold in all of them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pool
from random import Random

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.slot_bitmap import mask_of
from carnelian.net.simulated import Network, SimulationError
from carnelian.net.storm import FAULTS, Fault, Storm

from .replayed_messages import Replays
from .simulated_cluster import NODE_TIMEOUT, SimulatedCluster, SimulatedMember

STORM_SECONDS = 25.0
# A failover that has failed is tried again after four timeouts, a failure that nobody acts upon is
# undone after two, who comes back waits for one, replicas migrate after five seconds; and all of
# that may come one after the other.
BOUND = 16 * NODE_TIMEOUT / 1000 + 30.0
# Seconds from one look at the whole cluster to the next.
LOOK = 0.5
# Milliseconds that a primary may go on with its clients after it has lost the others: until its
# pings to them have not been answered for a timeout, which begin half of one later at worst.
WINDOW = NODE_TIMEOUT * 1.5 + 1000
# Milliseconds that two claims with one epoch may last while their nodes can hear each other.
COLLISION = NODE_TIMEOUT * 2 + 2000
WRITES_PER_LOOK = 3
# The slots that clients write to.
SLOTS = range(0, 16384, 128)


class Violation(AssertionError):
    """Something has happened that must not."""


@dataclass
class Write:
    """A write that was acknowledged: by whom, when in milliseconds, and since when that node could
    not be sure to be heard by most primaries, None if it could.
    """

    slot: int
    node: str
    time: int
    cut_since: int | None


@dataclass
class Outcome:
    """What a history came to."""

    seed: int
    shape: tuple[int, int]
    wrong: str = ""
    elections: int = 0
    manual: int = 0
    writes: int = 0
    lost: int = 0
    lost_in_minority: int = 0
    # Milliseconds from a node's separation to the last lost write that it has acknowledged.
    latest_loss: int = 0
    settled: float = 0.0


class Faults:
    """What goes wrong, or is done, in a cluster beside what goes wrong in any network."""

    def __init__(self, cluster: SimulatedCluster):
        self._cluster = cluster
        self.is_over = False
        self._replays = Replays(cluster)
        self._random = Random(f"votes {cluster.network.seed}")
        cluster.on_vote = self._after_vote
        self.all: Sequence[Fault] = (
            *FAULTS,
            *FAULTS,
            self.crash_primary,
            self.crash_primary,
            self.isolate_primary,
            self.isolate_primary,
            self.lose_power,
            self.set_clock,
            self.replay,
            self.fail_over,
            self.move_slots,
            self.replicate,
            self.bump_epochs,
        )

    def _primary(self, random: Random) -> SimulatedMember | None:
        primaries = [each for each in self._cluster.up if each.myself.slot_count]
        return random.choice(primaries) if primaries else None

    def crash_primary(self, network: Network, random: Random) -> None:
        """End a primary."""
        primary = self._primary(random)
        if primary is not None:
            network.crash(primary.node.name, silently=random.random() < 0.3)

    def isolate_primary(self, network: Network, random: Random) -> None:
        """Let a primary reach nobody but perhaps one other, and a client."""
        primary = self._primary(random)
        if primary is not None:
            names = [primary.node.name]
            if random.random() < 0.5:
                names.append(random.choice(self._cluster.names))
            network.partition(names)

    def lose_power(self, network: Network, random: Random) -> None:
        """End a node, and lose what it has written without waiting for the disk."""
        up = self._cluster.up
        if up:
            self._lose_power(network, random.choice(up).node.name, random)

    @staticmethod
    def _lose_power(network: Network, name: str, random: Random) -> None:
        node = network.nodes[name]
        if node.is_up:
            network.crash(name, silently=True)
            node.disk["nodes"] = random.choice(node.disk["perhaps"])

    def _after_vote(self, name: str) -> None:
        """Let who has just voted perhaps lose its power, and be there again soon."""
        network, random = self._cluster.network, self._random
        if self.is_over or random.random() > 0.15:
            return

        def come_back() -> None:
            if not network.nodes[name].is_up:
                network.restart(name)

        network.after(random.randrange(10_000), lambda: self._lose_power(network, name, random))
        network.after(random.randrange(20_000, 500_000), come_back)

    def set_clock(self, network: Network, random: Random) -> None:
        """Set the time of day of a node."""
        up = self._cluster.up
        if up:
            member = random.choice(up)
            error = random.choice([0, random.randrange(-(10**8), 10**8)])
            member.clock.error_us = member.node.disk["clock error"] = error

    def replay(self, network: Network, random: Random) -> None:
        """Let a message of the last seconds arrive once more, on a connection of its own."""
        self._replays.replay(random)

    def fail_over(self, network: Network, random: Random) -> None:
        """Ask a replica to replace its primary."""
        replicas = [each for each in self._cluster.up if each.myself.is_replica]
        if replicas:
            self._try(random.choice(replicas).member.failover, random.random() < 0.3)

    def move_slots(self, network: Network, random: Random) -> None:
        """Move some slots from one primary to another with their keys, if both are well."""
        cluster = self._cluster
        well = [each for each in cluster.up if each.myself.slot_count and each.view.is_ok]
        if len(well) < 2:
            return
        source, target = random.sample(well, 2)
        if not network.reaches(source.node.name, target.node.name):
            return
        slots = [slot for slot in SLOTS if source.serves(slot)]
        slots = [
            slot
            for slot in random.sample(slots, min(3, len(slots)))
            if target.view.owners[slot] is not target.myself
        ]
        if not slots or target.paused_until > target.now:
            return
        for slot in slots:
            target.data.take(slot, list(source.data.writes.get(slot, ())))
        self._try(target.member.claim_slots, slots)
        for slot in slots:
            cluster.moved[slot] = target.now

    def bump_epochs(self, network: Network, random: Random) -> None:
        """Let two nodes take a new epoch at once, which will be the same one."""
        up = self._cluster.up
        for member in random.sample(up, min(2, len(up))):
            member.member.bump_epoch()

    def replicate(self, network: Network, random: Random) -> None:
        """Let a replica follow another primary."""
        cluster = self._cluster
        replicas = [each for each in cluster.up if each.myself.is_replica]
        if replicas:
            primaries = [node.id for node in replicas[0].view.nodes.values() if node.slot_count]
            if primaries:
                self._try(random.choice(replicas).member.replicate, random.choice(primaries))

    @staticmethod
    def _try(operation, *arguments: object) -> None:
        try:
            operation(*arguments)
        except ClusterError:
            pass


@dataclass
class Observer:
    """Looks at a cluster while it lives, and writes to it as clients do."""

    cluster: SimulatedCluster
    random: Random
    writes: dict[int, Write] = field(default_factory=dict)
    # Since when a node could not be heard by most primaries.
    cut_since: dict[str, int] = field(default_factory=dict)
    # Since when two nodes have claimed one slot with one epoch.
    collisions: dict[tuple[str, str], int] = field(default_factory=dict)
    # Whom a node has voted for in an epoch.
    votes: dict[tuple[str, int], str] = field(default_factory=dict)
    seen_votes: int = 0
    seen_elections: int = 0
    epochs: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Miss no moment in which nodes could hear each other, be it ever so short."""
        network = self.cluster.network
        heal, restart = network.heal, network.restart

        def healed() -> None:
            heal()
            self._look_at_connections()

        def restarted(name: str) -> None:
            restart(name)
            self._look_at_connections()

        network.heal = healed  # type: ignore[method-assign]
        network.restart = restarted  # type: ignore[method-assign]

    @property
    def now(self) -> int:
        return self.cluster.network.now // 1000

    def look(self) -> None:
        """Check all that must always hold. Raises Violation."""
        self._look_at_connections()
        self._look_at_votes()
        self._look_at_elections()
        self._look_at_claims()
        for _ in range(WRITES_PER_LOOK):
            self._write()

    def _look_at_connections(self) -> None:
        """Who can be sure to hear most primaries, and to be heard by them, without much delay."""
        network, now = self.cluster.network, self.now
        for each in self.cluster.up:
            name = each.node.name
            voters = [node.ip for node in each.view.nodes.values() if node.slot_count]
            heard = sum(
                ip == name
                or (
                    network.nodes[ip].is_up
                    and network.reaches(name, ip)
                    and network.reaches(ip, name)
                    and (name, ip) not in network._slow
                    and (ip, name) not in network._slow
                )
                for ip in voters
                if ip in network.nodes
            )
            if heard > len(voters) // 2:
                self.cut_since.pop(name, None)
            else:
                self.cut_since.setdefault(name, now)

    def _look_at_votes(self) -> None:
        votes = self.cluster.votes
        for name, epoch, candidate in votes[self.seen_votes :]:
            other = self.votes.setdefault((name, epoch), candidate)
            if other != candidate:
                raise Violation(f"{name} has voted for {other} and {candidate} in {epoch}")
        self.seen_votes = len(votes)

    def _look_at_elections(self) -> None:
        elections = self.cluster.elections
        for election in elections[self.seen_elections :]:
            other = self.epochs.setdefault(election.epoch, election.node)
            if other != election.node:
                raise Violation(f"{other} and {election.node} were elected in {election.epoch}")
            self._check_age(election)
        self.seen_elections = len(elections)

    def _check_age(self, election) -> None:
        if election.manual:
            return
        settings = self.cluster[election.node].settings
        most = settings.repl_ping_period * 1000 + NODE_TIMEOUT * (
            settings.replica_validity_factor + 1
        )
        if election.age is None or election.age > most:
            raise Violation(f"{election.node} was elected with data of {election.age} ms ago")

    def _look_at_claims(self) -> None:
        """No two primaries have one slot with one epoch, for longer than it takes to settle."""
        claims: dict[int, list[SimulatedMember]] = {}
        for each in self.cluster.up:
            if each.myself.is_primary and each.myself.slot_count:
                claims.setdefault(each.myself.config_epoch, []).append(each)
        now, still = self.now, {}
        for epoch, members in claims.items():
            for number, one in enumerate(members):
                for other in members[number + 1 :]:
                    if not mask_of(one.myself.slots) & mask_of(other.myself.slots):
                        continue
                    pair = one.node.name, other.node.name
                    apart = not (
                        self.cluster.network.reaches(*pair)
                        and self.cluster.network.reaches(*pair[::-1])
                    )
                    still[pair] = now if apart else self.collisions.get(pair, now)
                    if now - still[pair] > COLLISION:
                        raise Violation(f"{pair} have one slot with epoch {epoch}")
        self.collisions = still

    # -- Writes ----------------------------------------------------------------------------------

    def _write(self) -> None:
        """A client that reaches some node writes where it believes the slot to be."""
        up = self.cluster.up
        if not up:
            return
        slot = self.random.choice(SLOTS)
        member = self.random.choice(up)
        if not member.serves(slot):
            owner = member.view.owners[slot]
            other = next((each for each in up if owner is not None and each.id == owner.id), None)
            reaches = self.cluster.network.reaches
            if other is None or not reaches(member.node.name, other.node.name):
                return
            member = other
            if not member.serves(slot):
                return
        number = len(self.writes) + 1
        member.data.write(slot, number)
        since = self.cut_since.get(member.node.name)
        self.writes[number] = Write(slot, member.node.name, self.now, since)

    def count_losses(self, outcome: Outcome) -> None:
        """Which writes are gone, and whether they may be: those of a primary that could not be
        sure of most others, for no longer than it needs to find that out, and those that had not
        come to the replica that replaced it. Raises Violation.
        """
        there: set[int] = set()
        for each in self.cluster.members.values():
            for slot, numbers in each.data.writes.items():
                if each.serves(slot):
                    there.update(numbers)
        outcome.writes = len(self.writes)
        for number, write in self.writes.items():
            if number in there:
                continue
            outcome.lost += 1
            if write.cut_since is not None:
                outcome.lost_in_minority += 1
                waited = write.time - write.cut_since
                outcome.latest_loss = max(outcome.latest_loss, waited)
                if waited > WINDOW:
                    raise Violation(
                        f"write {number} was lost: {write.node} acknowledged it {waited} ms "
                        "after it had lost most others"
                    )


def shape_of(seed: int) -> tuple[int, int]:
    """How many primaries a history has, and replicas of each."""
    shapes = ((3, 1), (3, 2), (4, 1), (5, 1), (3, 1), (4, 2), (3, 1), (6, 1), (3, 2), (7, 1))
    return shapes[seed % len(shapes)]


def live(seed: int, shape: tuple[int, int] | None = None) -> Outcome:
    """A history, of a cluster with so many primaries and replicas of each. Raises Violation."""
    outcome = Outcome(seed, shape or shape_of(seed))
    random = Random(f"history {seed}")
    cluster = SimulatedCluster(seed, *outcome.shape)
    cluster.form()
    observer = Observer(cluster, random)
    _watch(cluster, observer, 3)
    faults = Faults(cluster)
    every, lasting = random.uniform(0.5, 2.5), random.uniform(2.0, 6.0)
    storm = Storm(cluster.network, every, lasting, faults.all)
    _watch(cluster, observer, STORM_SECONDS)
    storm.end()
    faults.is_over = True
    begun = cluster.network.now
    while cluster.disagreement():
        if cluster.network.now - begun > BOUND * 1e6:
            raise Violation(f"still no agreement: {cluster.disagreement()}")
        _watch(cluster, observer, LOOK)
    outcome.settled = (cluster.network.now - begun) / 1e6
    _watch(cluster, observer, 3)
    outcome.elections = len(cluster.elections)
    outcome.manual = sum(election.manual for election in cluster.elections)
    observer.count_losses(outcome)
    return outcome


def _watch(cluster: SimulatedCluster, observer: Observer, seconds: float) -> None:
    for _ in range(round(seconds / LOOK)):
        cluster.run(LOOK)
        observer.look()


def report(seed: int, shape: tuple[int, int] | None = None) -> Outcome:
    """What a history came to, with what was wrong if anything was."""
    try:
        return live(seed, shape)
    except (Violation, SimulationError) as violation:
        wrong = f"{type(violation).__name__}: {violation}"
    except Exception as fault:
        wrong = f"fault {fault!r}"
    return Outcome(seed, shape or shape_of(seed), wrong)


def main() -> int:
    """Live many histories; exits with 1 if something is wrong in any of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--shape", type=int, nargs=2, metavar=("PRIMARIES", "REPLICAS"), help="of all of them"
    )
    options = parser.parse_args()
    shape = tuple(options.shape) if options.shape else None
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    seeds = range(options.seed, options.seed + options.histories)
    with Pool(options.jobs) as pool:
        for outcome in pool.imap_unordered(partial(report, shape=shape), seeds, chunksize=2):
            outcomes.append(outcome)
            if outcome.wrong:
                print(
                    f"seed {outcome.seed} {outcome.shape}: {outcome.wrong}\n    again: "
                    f"python -m tests.cluster.histories --histories 1 --seed {outcome.seed}",
                    flush=True,
                )
            if len(outcomes) % 250 == 0:
                seconds = time.monotonic() - begun
                print(f"{len(outcomes)} histories, {seconds:.0f} s", flush=True)
    print(summary(outcomes, time.monotonic() - begun))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """All histories in a few words."""
    bad = sum(bool(outcome.wrong) for outcome in outcomes)
    lost = sum(outcome.lost for outcome in outcomes)
    return (
        f"{len(outcomes)} histories in {seconds:.0f} s, {bad} bad, "
        f"{sum(outcome.elections for outcome in outcomes)} elections "
        f"({sum(outcome.manual for outcome in outcomes)} by hand), agreed again after "
        f"{max(outcome.settled for outcome in outcomes):.1f} s at most; "
        f"{sum(outcome.writes for outcome in outcomes)} writes acknowledged, {lost} lost, "
        f"{sum(outcome.lost_in_minority for outcome in outcomes)} of them by primaries without a "
        f"majority, at most {max(outcome.latest_loss for outcome in outcomes)} ms after they had "
        "lost it"
    )


if __name__ == "__main__":
    sys.exit(main())
