"""Whole clusters: administration by redis-cli, failovers, and redis-server nodes among ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from support.servers import require

from .live_cluster import LiveCluster, LiveNode, wait_for


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    """A cluster without nodes."""
    require("redis-server", "redis-server")
    require("redis-cli", "redis-tools")
    made = LiveCluster(tmp_path)
    yield made
    made.stop()


def fill(cluster: LiveCluster, count: int = 300) -> dict[str, str]:
    """Write some keys through a client that follows redirections."""
    values = {f"key:{number}": str(number) for number in range(count)}
    client = RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, decode_responses=True)
    for key, value in values.items():
        client.set(key, value)
    client.close()
    return values


def read(cluster: LiveCluster, keys: dict[str, str]) -> dict[str, str | None]:
    """What a client finds of them."""
    running = next(node for node in cluster.nodes if node.process.poll() is None)
    client = RedisCluster(host="127.0.0.1", port=running.port, decode_responses=True)
    found = {key: client.get(key) for key in keys}
    client.close()
    return found


@pytest.mark.timeout(400)
def test_administration_by_redis_cli(cluster: LiveCluster, tmp_path: Path) -> None:
    for _ in range(3):
        cluster.add(True)
    cluster.create()
    values = fill(cluster)
    first, second, third = cluster.nodes
    assert "[OK] All 16384 slots covered." in cluster.cli("check", first.address)
    cluster.cli(
        "reshard", first.address, "--cluster-from", second.id, "--cluster-to", first.id,
        "--cluster-slots", "500",
    )  # fmt: skip
    assert read(cluster, values) == values
    cluster.cli("rebalance", first.address, "--cluster-threshold", "1")
    assert read(cluster, values) == values
    called = cluster.cli("call", first.address, "dbsize")
    assert sum(int(line.split(": ")[1]) for line in called.splitlines() if ": " in line) == 300

    joined = cluster.add(True)
    cluster.cli("add-node", joined.address, first.address)
    wait_for(lambda: first.facts()["cluster_known_nodes"] == "4", "four nodes are known")
    cluster.wait_until_ok()
    cluster.cli("rebalance", first.address, "--cluster-use-empty-masters")
    assert len(joined("CLUSTER", "SLOTS")) == 4
    assert read(cluster, values) == values

    backup = tmp_path / "backup"
    backup.mkdir()
    cluster.cli("backup", first.address, str(backup))
    assert len(list(backup.glob("*.rdb"))) == 4 and (backup / "nodes.json").exists()

    cluster.cli("rebalance", first.address, "--cluster-weight", f"{joined.id}=0")
    cluster.cli("del-node", first.address, joined.id)
    wait_for(lambda: first.facts()["cluster_known_nodes"] == "3", "it is forgotten")
    assert read(cluster, values) == values


@pytest.mark.timeout(400)
def test_import_and_fix(cluster: LiveCluster, start_redis) -> None:
    for _ in range(3):
        cluster.add(True)
    cluster.create()
    first, second, _ = cluster.nodes
    alone = start_redis("--save", "")
    for number in range(50):
        alone.call("SET", f"imported:{number}", number)
    cluster.cli("import", first.address, "--cluster-from", f"127.0.0.1:{alone.port}")
    values = {f"imported:{number}": str(number) for number in range(50)}
    assert read(cluster, values) == values
    # A move that was broken off is brought to its end.
    slot = first("CLUSTER", "KEYSLOT", "imported:7")
    nodes = {node.id: node for node in cluster.nodes}
    (owner,) = [
        node for node in cluster.nodes if not isinstance(node("GET", "imported:7"), Exception)
    ]
    target = next(node for node in nodes.values() if node is not owner)
    assert target("CLUSTER", "SETSLOT", slot, "IMPORTING", owner.id) == "OK"
    assert owner("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id) == "OK"
    cluster.cli("check", first.address, fine=False)
    cluster.cli("fix", first.address)
    cluster.cli("check", second.address)
    assert read(cluster, values) == values


@pytest.mark.timeout(400)
@pytest.mark.parametrize("ours", [True, False], ids=["our-primaries", "redis-primaries"])
def test_replicas_of_the_other_kind(cluster: LiveCluster, ours: bool) -> None:
    """Primaries of one kind, replicas of the other: failures, and failovers on purpose."""
    primaries = [cluster.add(ours) for _ in range(3)]
    replicas = [cluster.add(not ours) for _ in range(3)]
    cluster.create()
    for primary, replica in zip(primaries, replicas, strict=True):
        cluster.cli(
            "add-node", replica.address, primary.address,
            "--cluster-slave", "--cluster-master-id", primary.id,
        )  # fmt: skip
    wait_for(lambda: all(has_data(replica) for replica in replicas), "replicas have their data")
    values = fill(cluster)
    for primary, replica in zip(primaries, replicas, strict=True):
        wait_for(lambda: primary("DBSIZE") == replica("DBSIZE"), "all was replicated")  # noqa: B023

    assert replicas[0]("READONLY") == "OK"
    key = next(key for key in values if primaries[0]("GET", key) == values[key])
    assert replicas[0]("GET", key) == values[key]
    assert str(replicas[0]("SET", key, 1)).startswith("MOVED")

    # One that both agree on, back and forth.
    assert replicas[0]("CLUSTER", "FAILOVER") == "OK"
    wait_for(lambda: leads(replicas[0]), "the replica leads")
    wait_for(lambda: has_data(primaries[0]), "the former primary follows")
    assert read(cluster, values) == values
    assert primaries[0]("CLUSTER", "FAILOVER", "TAKEOVER") == "OK"
    wait_for(lambda: leads(primaries[0]), "the former primary leads again")
    wait_for(lambda: has_data(replicas[0]), "the replica follows again")

    # One that comes unasked.
    started = time.monotonic()
    primaries[1].kill()
    wait_for(lambda: leads(replicas[1]), "the replica leads")
    assert time.monotonic() - started < 30
    cluster.wait_until_ok()
    assert read(cluster, values) == values
    primaries[1].start()
    wait_for(lambda: has_data(primaries[1]), "the primary that has come back follows")
    cluster.wait_until_ok()
    assert read(cluster, values) == values

    # Messages reach who listens at any node.
    listening = replicas[2].client.pubsub()
    listening.subscribe("news")
    wait_for(lambda: listening.get_message(timeout=1), "the subscription stands")
    primaries[0]("PUBLISH", "news", "hello")
    wait_for(lambda: heard(listening, "hello"), "the message comes")
    listening.close()


@pytest.mark.timeout(400)
def test_moving_slots_between_both_kinds(cluster: LiveCluster) -> None:
    for ours in (True, False, True):
        cluster.add(ours)
    cluster.create()
    values = fill(cluster)
    first, second, third = cluster.nodes
    for source, target in ((first, second), (second, third)):
        cluster.cli(
            "reshard", first.address, "--cluster-from", source.id, "--cluster-to", target.id,
            "--cluster-slots", "300",
        )  # fmt: skip
        assert read(cluster, values) == values


def has_data(node: LiveNode) -> bool:
    """Whether it follows somebody, and has what that one has."""
    fields = node("INFO", "replication")
    if not isinstance(fields, dict):
        fields = dict(line.split(":", 1) for line in fields.splitlines() if ":" in line)
    return fields["role"] == "slave" and fields.get("master_link_status") == "up"


def leads(node: LiveNode) -> bool:
    """Whether it is a primary with slots."""
    shards = node("CLUSTER", "MYID"), node("ROLE")
    return shards[1][0] == "master" and node.is_ok()


def heard(listening, text: str) -> bool:
    """Whether a message with this text has come."""
    message = listening.get_message(timeout=1)
    return message is not None and message["data"] == text
