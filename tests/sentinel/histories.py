"""Histories of a fleet in which everything goes wrong, and what must hold in all of them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from multiprocessing import Pool
from random import Random

from carnelian.net.simulated import Network, SimulationError
from carnelian.net.storm import FAULTS, Storm

from .simulated_sentinels import FAILOVER_TIMEOUT, Fleet

STORM_SECONDS = 25.0
# The longest way back: a failover that has just failed is tried again after twice its timeout,
# replicas that follow the wrong one are corrected after one more, and each step takes its seconds.
BOUND = 4 * FAILOVER_TIMEOUT / 1000 + 40.0


class Violation(AssertionError):
    """Something has happened that must not."""


class Faults:
    """What goes wrong in a fleet beside what does in any network."""

    def __init__(self, fleet: Fleet):
        self._fleet = fleet
        self.all = (*FAULTS, self.crash_primary, self.crash_primary, self.isolate_primary)

    def _primary(self, random: Random) -> str:
        """Where a Sentinel believes the primary to be."""
        up = [each for each in self._fleet.sentinels if each.node.is_up]
        return random.choice(up).primary.current_address.host if up else "r0"

    def crash_primary(self, network: Network, random: Random) -> None:
        """End the primary."""
        name = self._primary(random)
        if network.nodes[name].is_up:
            network.crash(name, silently=random.random() < 0.5)

    def isolate_primary(self, network: Network, random: Random) -> None:
        """Let the primary reach nobody but perhaps one Sentinel."""
        names = [self._primary(random)]
        if random.random() < 0.5:
            names.append(random.choice(self._fleet.sentinels).node.name)
        network.partition(names)


def check_votes(fleet: Fleet) -> None:
    """Every Sentinel votes for one candidate in an epoch, whatever it has been through."""
    votes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in fleet.events("+vote-for-leader"):
        candidate, epoch = each.text.split()
        votes[each.node, epoch].add(candidate)
    for (node, epoch), candidates in votes.items():
        if len(candidates) > 1:
            raise Violation(f"{node} has voted for {candidates} in epoch {epoch}")


def check_leaders(fleet: Fleet) -> None:
    """One Sentinel at most is a leader in an epoch."""
    leaders: dict[str, str] = {}
    for each in fleet.events("leads"):
        other = leaders.setdefault(each.text, each.node)
        if other != each.node:
            raise Violation(f"{other} and {each.node} are leaders in epoch {each.text}")


def check_configurations(fleet: Fleet) -> None:
    """An epoch of configuration has one primary, for all Sentinels."""
    known: dict[str, str] = {"0": "r0:6379"}
    for each in fleet.events("saved"):
        epoch, address = each.text.split()
        if known.setdefault(epoch, address) != address:
            raise Violation(f"{each.node}: {address} in epoch {epoch}, which has {known[epoch]}")


def live(seed: int, servers: int = 3, sentinels: int = 3) -> tuple[Fleet, float]:
    """A history: the fleet at its end, and the seconds that all needed to agree again.

    Raises Violation.
    """
    fleet = Fleet(seed, servers, sentinels, sentinels // 2 + 1)
    fleet.run(5)
    storm = Storm(fleet.network, every=1.5, lasting=4.0, faults=Faults(fleet).all)
    fleet.run(STORM_SECONDS)
    storm.end()
    try:
        taken = fleet.wait_for_agreement(BOUND)
    except SimulationError as error:
        raise Violation(str(error)) from None
    finally:
        check_votes(fleet)
        check_leaders(fleet)
        check_configurations(fleet)
    return fleet, taken


def report(seed: int) -> tuple[int, float, str]:
    """Failovers of a history, the seconds to agreement, and what was wrong, if anything was."""
    size = (3, 3) if seed % 3 else (4, 5)
    try:
        fleet, taken = live(seed, *size)
    except Violation as violation:
        return 0, 0.0, f"seed {seed} {size}: {violation}"
    return len(fleet.events("+promoted-slave")), taken, ""


def main() -> int:
    """Live many histories; exits with 1 if something is wrong in any of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.sentinel.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    begun = time.monotonic()
    failovers, longest, bad = 0, 0.0, 0
    seeds = range(options.first, options.first + options.histories)
    with Pool(options.jobs) as pool:
        outcomes = pool.imap_unordered(report, seeds, chunksize=4)
        for number, (count, taken, wrong) in enumerate(outcomes, 1):
            failovers += count
            longest = max(longest, taken)
            if wrong:
                bad += 1
                print(wrong, flush=True)
            if number % 250 == 0:
                print(f"{number} histories, {time.monotonic() - begun:.0f} s", flush=True)
    seconds = time.monotonic() - begun
    print(
        f"{options.histories} histories, {failovers} failovers, {bad} bad, agreed again after "
        f"{longest:.1f} s at most, in {seconds:.0f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
