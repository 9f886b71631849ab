"""What a replica does with the stream while it may not apply it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carnelian.replication.replica_side import primary_link
from carnelian.replication.replica_side.primary_link import Following

from .simulated_nodes import Family, Server

MOST = 4096


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Family, Server, Server]]:
    """A primary, and a replica that holds little."""
    monkeypatch.setattr(primary_link, "_MOST_HELD", MOST)
    family = Family(7, count=2)
    family.arrange("n0")
    family.quiet()
    yield family, family.server("n0"), family.server("n1")


def link_of(server: Server) -> Following:
    link = server.side.following
    assert link is not None
    return link


def test_a_paused_replica_lets_its_primary_wait(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    before = replica.offset
    replica.call("CLIENT", "PAUSE", 40_000, "WRITE")
    for number in range(200):
        primary.call("SET", f"key {number}", "x" * 1000)
    # Longer than repl-timeout: it is silent because it is not heard.
    family.network.run(30)
    link = link_of(replica)
    assert link.connected
    assert replica.offset == before
    received = dict(link.fields())["slave_read_repl_offset"]
    assert isinstance(received, int)
    assert MOST <= received - before < primary.offset - before
    family.network.run(15)
    family.quiet()
    assert primary.engine.stats.partial_syncs == 0
    assert primary.engine.stats.full_syncs == 1


def test_a_pause_that_ends_early(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    replica.call("CLIENT", "PAUSE", 100_000, "WRITE")
    for _ in range(3):
        primary.call("SET", "k", "x" * 3000)
    family.network.run(2)
    assert not family.are_equal()
    replica.call("CLIENT", "UNPAUSE")
    family.network.run(0.1)
    assert family.are_equal()


def test_nobody_looks_again_and_again_while_it_is_paused(
    pair: tuple[Family, Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    family, primary, replica = pair
    looks: list[None] = []
    look = Following._look

    def count(self: Following) -> None:
        looks.append(None)
        look(self)

    monkeypatch.setattr(Following, "_look", count)
    replica.call("CLIENT", "PAUSE", 3000, "WRITE")
    primary.call("SET", "k", 1)
    family.network.run(2)
    assert looks == []
    family.quiet()
    assert len(looks) == 1


def test_a_link_that_ends_while_much_is_held(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    replica.call("CLIENT", "PAUSE", 5_000, "WRITE")
    for number in range(12):
        primary.call("SET", f"key {number}", "x" * 1000)
    family.network.run(1)
    family.network.drop("n0", "n1")
    family.network.run(1)
    # Asked for again from where it was applied.
    assert primary.engine.stats.partial_syncs == 1
    family.quiet()


def test_following_ends_while_much_is_held(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    replica.call("CLIENT", "PAUSE", 5_000, "WRITE")
    for number in range(12):
        primary.call("SET", f"key {number}", "x" * 1000)
    family.network.run(1)
    replica.follow(None)
    family.network.run(6)
    assert len(replica.engine.keyspace) == 0
    assert replica.engine.pause.on_end == []


def test_a_snapshot_waits_for_the_end_of_a_script(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    primary.call("SET", "old", 1)
    family.quiet()
    # As while a script runs, in which others are looked after.
    replica.engine.depth += 1
    primary.engine.config["repl-backlog-size"] = 16_384
    family.network.partition(["n0"], ["n1"])
    family.network.drop("n0", "n1")
    for number in range(40):
        primary.call("SET", f"key {number}", "x" * 1000)
    primary.call("DEL", "old")
    family.network.heal()
    family.network.run(5)
    assert primary.engine.stats.full_syncs == 2
    assert len(replica.engine.keyspace) == 1
    assert link_of(replica).receiving is None
    replica.engine.depth -= 1
    family.quiet()
    assert len(replica.engine.keyspace) == 40
    assert primary.engine.stats.full_syncs == 2


def test_a_link_that_ends_while_a_snapshot_waits(pair: tuple[Family, Server, Server]) -> None:
    family, primary, replica = pair
    replica.engine.depth += 1
    primary.primary.replication.history.new_id()
    family.network.drop("n0", "n1")
    family.network.run(5)
    link = link_of(replica)
    assert link.state.value == "sync"
    family.network.drop("n0", "n1")
    family.network.run(5)
    replica.engine.depth -= 1
    family.quiet()
