"""Which replica goes to which primary: as many to each as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def plan_replicas(counts: Mapping[str, int], new: Sequence[str]) -> dict[str, str]:
    """The primary for each new replica, those with fewest replicas first.

    ``counts`` has the number of replicas of each primary, in the order that breaks ties.
    Raises ValueError if there is no primary.
    """
    if new and not counts:
        raise ValueError("there is no primary")
    present = dict(counts)
    chosen = {}
    for name in new:
        primary = min(present, key=present.__getitem__)
        present[primary] += 1
        chosen[name] = primary
    return chosen


def spare_replica(replicas: Mapping[str, Sequence[str]]) -> str | None:
    """The replica to go: the last one of the primary that has most; None if there is none."""
    richest = max(replicas, key=lambda primary: len(replicas[primary]), default=None)
    if richest is None or not replicas[richest]:
        return None
    return replicas[richest][-1]
