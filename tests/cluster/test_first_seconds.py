"""When a node takes commands that gets its slots soon after its start."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .lone_member import LoneMember, LoneSettings
from .simulated_cluster import SimulatedCluster


@pytest.fixture
def lone() -> Iterator[LoneMember]:
    """A node with a timeout so long that its wait for a majority would be seen."""
    lone = LoneMember(None, LoneSettings(node_timeout=15_000))
    yield lone
    lone.close()


def test_slots_that_come_late_do_not_make_it_one_that_comes_back(lone: LoneMember) -> None:
    """It has looked several times by then, and has found that it has no slots."""
    began = time.monotonic()
    lone.wait_for(lambda: time.monotonic() > began + 0.5)
    assert not lone.member.view.is_ok
    lone.member.add_slots(list(range(16384)))
    lone.wait_for(lambda: lone.member.view.is_ok)
    assert 1.9 < time.monotonic() - began < 4
    assert lone.logged[-1] == "Cluster state changed: ok"


def test_who_had_no_slots_for_long_waits_for_the_others(lone: LoneMember) -> None:
    began = time.monotonic()
    lone.wait_for(lambda: time.monotonic() > began + 2.5)
    lone.member.add_slots(list(range(16384)))
    added = time.monotonic()
    lone.wait_for(lambda: lone.member.view.is_ok)
    assert time.monotonic() - added > 4.5


def test_who_starts_where_it_reaches_nobody_takes_nothing() -> None:
    """It may have been replaced before: it does not even begin to serve."""
    cluster = SimulatedCluster(seed=11)
    cluster.form()
    network, name = cluster.network, cluster.primaries[0]
    network.crash(name)
    network.partition([name])
    network.restart(name)
    member = cluster[name]
    for _ in range(60):
        network.run(0.1)
        assert not member.view.is_ok
    # Then they tell who has its slots now.
    network.heal()
    for _ in range(20):
        network.run(0.1)
        assert member.myself.is_replica or not member.view.is_ok
    assert member.myself.is_replica


def test_who_starts_among_others_serves_after_two_seconds() -> None:
    cluster = SimulatedCluster(seed=12)
    cluster.form()
    network, name = cluster.network, cluster.primaries[0]
    network.crash(name)
    network.restart(name)
    network.run(1.9)
    assert not cluster[name].view.is_ok
    network.run(0.6)
    assert cluster[name].view.is_ok
    assert cluster[name].myself.is_primary


def test_who_takes_over_serves_at_once() -> None:
    """It has not just started, though it has been no primary since then."""
    cluster = SimulatedCluster(seed=13)
    cluster.form()
    network, name = cluster.network, cluster.primaries[0]
    names = [each.ip for each in cluster[name].myself.replicas]
    for each in names:
        network.crash(each)
        network.restart(each)
    network.run(10)
    heirs = [cluster[each] for each in names]
    network.crash(name)
    network.run_until(lambda: any(heir.myself.is_primary for heir in heirs), 60)
    network.run(0.2)
    assert [heir.view.is_ok for heir in heirs if heir.myself.is_primary] == [True]
