"""Slots that move between nodes while clients write to them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from cluster.moving_load import LoadingClient, check
from cluster.moving_nodes import (
    TAGS,
    MovingNode,
    await_completed,
    await_moved,
    await_ok,
    await_that,
    join,
    move,
)

Start = Callable[..., list[MovingNode]]
# States of an import in which one of the nodes ends.
MOMENTS = ("connecting", "accumulate-buffer", "wait-stream-eof", "takeover", "completed")
# In slots from 9000 to 9100.
THERE = "{t38}"
MOVED_TAGS = (TAGS[0], TAGS[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a cluster of primaries."""
    nodes: list[MovingNode] = []

    def begin(count: int, *lines: str) -> list[MovingNode]:
        made = [MovingNode(tmp_path / f"node{len(nodes) + n}", *lines) for n in range(count)]
        nodes.extend(made)
        join(*made)
        return made

    yield begin
    for node in nodes:
        node.stop()


def begin_load(
    nodes: list[MovingNode], count: int, *forgiven: type[Exception]
) -> list[LoadingClient]:
    """Clients that write."""
    clients = [LoadingClient(nodes, MOVED_TAGS, number, forgiven) for number in range(count)]
    for client in clients:
        client.start()
    return clients


@pytest.mark.parametrize("method", ["fork", "sliced"])
def test_slots_move_back_and_forth_under_load(start: Start, method: str) -> None:
    nodes = start(2, f"snapshot-method {method}")
    here, there = nodes
    for number in range(2000):
        here("SET", f"{TAGS[0]}still{number}", number, "PX", 3_600_000 + number)
    here("RPUSH", f"{TAGS[1]}long", *range(5000))
    here("HSET", f"{TAGS[1]}wide", *range(4000))
    here("ZADD", f"{TAGS[1]}ranks", *range(2000))
    here("SADD", f"{TAGS[1]}crowd", *range(3000))
    clients = begin_load(nodes, 2)
    source, dest = here, there
    for _ in range(10):
        time.sleep(0.2)
        move(source, dest, 0, 100)
        source, dest = dest, source
    for client in clients:
        client.end()
    for client in clients:
        assert client.errors == []
        assert client.redirected > 0
        assert sum(client.acknowledged.values()) > 100
        for tag in MOVED_TAGS:
            check(client, here, tag)
    assert here("PTTL", f"{TAGS[0]}still1") > 3_000_000
    assert here("LRANGE", f"{TAGS[1]}long", 0, -1) == [b"%d" % n for n in range(5000)]
    assert here("HLEN", f"{TAGS[1]}wide") == 2000
    assert here("ZCARD", f"{TAGS[1]}ranks") == 1000
    assert here("SCARD", f"{TAGS[1]}crowd") == 3000
    assert there("DBSIZE") == 0


@pytest.mark.parametrize("victim", ["source", "dest"])
def test_nothing_that_was_acknowledged_is_lost_when_a_node_dies(start: Start, victim: str) -> None:
    chance = random.Random(victim)
    nodes = start(2, "appendonly yes", "appendfsync always", "cluster-node-timeout 1000")
    here, there = nodes
    for number in range(500):
        here("SET", f"{TAGS[0]}still{number}", number)
    clients = begin_load(nodes, 2, redis.exceptions.ClusterDownError)
    source, dest = here, there
    for _ in range(4):
        # They write for a while when nothing goes on.
        time.sleep(0.7)
        id = dest("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
        _come_to(dest, id, chance.choice(MOMENTS))
        time.sleep(0.02 * chance.random())
        dying = source if victim == "source" else dest
        dying.kill()
        time.sleep(0.2)
        dying.start()
        await_ok(*nodes)
        if victim == "source":
            # Who is left tries again.
            await_completed(dest, id)
        owner = dest if _owns(dest, dest, 0) else source
        assert _owns(source, owner, 0) or _settles(source, owner)
        if owner is dest:
            source, dest = dest, source
    for client in clients:
        client.end()
    owner = source
    other = dest
    for client in clients:
        assert client.errors == []
        assert sum(client.acknowledged.values()) > 50
        for tag in MOVED_TAGS:
            check(client, owner, tag)
    for number in range(500):
        assert owner("GET", f"{TAGS[0]}still{number}") == b"%d" % number
    await_that(lambda: other("DBSIZE") == 0, "nothing is left at the other node")


def test_slots_go_both_ways_at_the_same_time(start: Start) -> None:
    nodes = start(2)
    here, there = nodes
    for number in range(2000):
        here("SET", f"{TAGS[0]}k{number}", number)
        there("SET", f"{THERE}k{number}", number)
    clients = begin_load(nodes, 1)
    # Each of the two may get its new epoch before the other.
    for _ in range(8):
        ids = [
            there("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode(),
            here("CLUSTER", "MIGRATION", "IMPORT", 9000, 9100).decode(),
        ]
        await_moved(here, there, ids[0])
        await_moved(there, here, ids[1])
        assert there.task(ids[0])["write_pause_ms"] < 5000
        move(there, here, 0, 100)
        move(here, there, 9000, 9100)
    for client in clients:
        client.end()
        assert client.errors == []
        for tag in MOVED_TAGS:
            check(client, here, tag)
    assert there("GET", f"{THERE}k1999") == b"1999"


def _come_to(dest: MovingNode, id: str, state: str) -> None:
    """Wait until an import is so far, or for a moment if it is never seen there."""
    end = time.monotonic() + 0.5
    while time.monotonic() < end and dest.state(id) != state:
        pass


def _owns(asked: MovingNode, node: MovingNode, slot: int) -> bool:
    """Whether a node says that a slot belongs to a node."""
    for first, last, primary, *_ in asked("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return bool(primary[2].decode() == node.id)
    return False


def _settles(asked: MovingNode, node: MovingNode) -> bool:
    await_that(lambda: _owns(asked, node, 0), "both agree who has the slots")
    return True
