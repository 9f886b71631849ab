"""Primaries without replicas get one from those that have more than they need."""

from __future__ import annotations

import pytest

from .simulated_cluster import SimulatedCluster, SimulatedMember


def fleet(**settings: object) -> SimulatedCluster:
    """Three primaries; the first has three replicas, the second two, the third one."""
    cluster = SimulatedCluster(3, 3, 2, settings)
    cluster.form()
    cluster[cluster.names[5]].member.replicate(cluster[cluster.names[0]].id)
    cluster.settle(30)
    assert replicas(cluster) == {0: [3, 5, 6], 1: [4, 7], 2: [8]}
    return cluster


def replicas(cluster: SimulatedCluster) -> dict[int, list[int]]:
    """The numbers of the replicas that run by that of their primary."""
    names = cluster.names
    found: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for member in cluster.up:
        primary = member.myself.primary
        if member.myself.is_replica and primary is not None:
            found[names.index(primary.ip)].append(names.index(member.node.name))
    return found


def mover(cluster: SimulatedCluster) -> SimulatedMember:
    """Who of the replicas of the first primary has the smallest ID."""
    return min((cluster[cluster.names[n]] for n in (3, 5, 6)), key=lambda each: each.id)


def test_the_one_with_the_smallest_id_goes_after_a_while() -> None:
    cluster = fleet()
    who = mover(cluster)
    cluster.crash([cluster.names[8]])
    cluster.network.run_until(
        lambda: cluster[cluster.names[0]].view.nodes[cluster[cluster.names[8]].id].has_failed, 20
    )
    cluster.run(4.5)
    assert replicas(cluster)[2] == []
    cluster.run(3)
    number = cluster.names.index(who.node.name)
    assert replicas(cluster)[2] == [number]
    assert len(replicas(cluster)[0]) == 2
    assert who.texts("Migrating to orphaned master")
    assert who.myself.shard_id == cluster[cluster.names[2]].myself.shard_id


@pytest.mark.parametrize("settings", [{"migration_barrier": 3}, {"allow_replica_migration": False}])
def test_nobody_goes_who_may_not(settings: dict[str, object]) -> None:
    cluster = fleet(**settings)
    cluster.crash([cluster.names[8]])
    cluster.run(20)
    assert replicas(cluster)[2] == []


def test_nobody_goes_to_who_never_had_one() -> None:
    cluster = SimulatedCluster(3, 4, 1)
    cluster.form()
    # The replica of the fourth goes to the first; that was an administrator's wish.
    cluster[cluster.names[7]].member.replicate(cluster[cluster.names[0]].id)
    cluster.run(20)
    fourth = cluster[cluster.names[3]]
    assert not fourth.myself.replicas


def test_who_replaces_a_primary_with_replicas_gets_some_again() -> None:
    cluster = fleet()
    # The only replica of the third takes its place, and has none then until the old one is back.
    cluster.crash([cluster.names[2]])
    cluster.network.run_until(lambda: cluster[cluster.names[8]].myself.is_primary, 20)
    cluster.run(8)
    heir = cluster[cluster.names[8]].myself
    assert len([each for each in cluster.up if each.myself.primary is not None]) == 5
    assert any(
        each.myself.primary is not None and each.myself.primary.id == heir.id for each in cluster.up
    )


def test_replicas_of_a_replica_find_the_primary() -> None:
    """A primary whose last slot is given to nobody may become a replica; its replicas follow."""
    cluster = fleet()
    first = cluster[cluster.names[0]]
    second = cluster[cluster.names[1]]
    first.member.flush_slots()
    first.member.replicate(second.id)
    cluster.run(5)
    assert {
        cluster[cluster.names[n]].myself.primary.ip  # type: ignore[union-attr]
        for n in (0, 3, 5, 6)
    } == {cluster.names[1]}
