"""Histories of primaries and replicas in which everything goes wrong: after quiet all are equal.

``python -m tests.replication.histories --histories 10000``; exits with 1 at the first fault.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from carnelian import commands
from carnelian.net.storm import Storm
from carnelian.replication.replica_side import primary_link
from replication.simulated_nodes import Family


def live(seed: int) -> None:
    """Live one history. Raises AssertionError where nodes differ in the end."""
    # In some of them so little may be held that it is often too much.
    with _held(2000 if seed % 3 == 0 else primary_link._MOST_HELD):
        _live(seed)


@contextmanager
def _held(most: int) -> Iterator[None]:
    before, primary_link._MOST_HELD = primary_link._MOST_HELD, most
    try:
        yield
    finally:
        primary_link._MOST_HELD = before


def _live(seed: int) -> None:
    family = Family(seed, count=2 + seed % 4)
    family.arrange("n0")
    storm = Storm(family.network, every=0.7, lasting=1.5)
    chance = family.chance
    for _ in range(40):
        for _ in range(chance.randrange(20)):
            family.write()
        family.network.run(chance.uniform(0.01, 0.6))
        if chance.random() < 0.15 and family.running():
            family.arrange(chance.choice(family.running()))
        followers = [name for name in family.running() if name != family.leader]
        if chance.random() < 0.1 and followers:
            pause = ("CLIENT", "PAUSE", chance.randrange(3000), "WRITE")
            family.server(chance.choice(followers)).call(*pause)
    storm.end()
    family.quiet()
    # And they go on from there.
    for _ in range(20):
        family.write()
    family.quiet()


def _judge(seed: int) -> str:
    """What is wrong with a history, empty if nothing is."""
    try:
        live(seed)
    except Exception as fault:
        return f"seed {seed}: {fault!r}"
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Live many histories, and tell what was wrong in them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.replication.histories", description=__doc__
    )
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    commands.declare_all()
    seeds = range(options.first, options.first + options.histories)
    began, faults = time.monotonic(), 0
    with Pool(options.jobs) as pool:
        for fault in filter(None, pool.imap_unordered(_judge, seeds, chunksize=10)):
            faults += 1
            print(fault, flush=True)
    seconds = time.monotonic() - began
    print(f"{options.histories} histories in {seconds:.0f} s: {faults} with faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
