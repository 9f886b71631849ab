"""Whole clusters: administration by redis-cli, failovers, and redis-server nodes among ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster
from redis.exceptions import MovedError

from support import certificates
from support.servers import require

from .live_cluster import LiveCluster, LiveNode, free_ports, wait_for


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


def read(cluster: LiveCluster, keys: dict[str, str]) -> dict[str, object]:
    """What a client finds of them."""
    running = next(node for node in cluster.nodes if node.process.poll() is None)
    client = RedisCluster(host="127.0.0.1", port=running.port, decode_responses=True)
    found: dict[str, Any] = {key: client.get(key) for key in keys}
    client.close()
    return found


@pytest.mark.timeout(400)
def test_administration_by_redis_cli(cluster: LiveCluster, tmp_path: Path) -> None:
    for _ in range(3):
        cluster.add(True)
    cluster.create()
    values = fill(cluster)
    first, second, _ = cluster.nodes
    assert "[OK] All 16384 slots covered." in cluster.cli("check", first.address)
    move(cluster, second, first, 200)
    assert read(cluster, values) == values
    cluster.cli("rebalance", first.address, "--cluster-threshold", "1")
    assert read(cluster, values) == values
    called = cluster.cli("call", first.address, "dbsize")
    assert sum(int(line.split(": ")[1]) for line in called.splitlines() if ": " in line) == 300

    joined = cluster.add(True)
    cluster.cli("add-node", joined.address, first.address)
    wait_for(lambda: first.facts()["cluster_known_nodes"] == "4", "four nodes are known")
    cluster.wait_until_ok()
    move(cluster, first, joined, 100)
    assert len({row[2][2] for row in joined("CLUSTER", "SLOTS")}) == 4
    assert read(cluster, values) == values

    backup = tmp_path / "backup"
    backup.mkdir()
    cluster.cli("backup", first.address, str(backup))
    assert len(list(backup.glob("*.rdb"))) == 4 and (backup / "nodes.json").exists()

    move(cluster, joined, first, 100)
    cluster.cli("del-node", first.address, joined.id)
    wait_for(lambda: first.facts()["cluster_known_nodes"] == "3", "it is forgotten")
    assert read(cluster, values) == values


def move(cluster: LiveCluster, source: LiveNode, target: LiveNode, count: int) -> None:
    """Move so many slots."""
    cluster.cli(
        "reshard", source.address, "--cluster-from", source.id, "--cluster-to", target.id,
        "--cluster-slots", str(count),
    )  # fmt: skip


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
    cluster.create(primaries)
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
    assert isinstance(replicas[0]("SET", key, 1), MovedError)

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
        move(cluster, source, target, 200)
        assert read(cluster, values) == values


def test_everything_encrypted(cluster: LiveCluster, tmp_path: Path) -> None:
    """Clients, replicas and the bus; those who use TLS are told of other ports than the rest."""
    folder = certificates.make(tmp_path)
    nodes, ports = [], []
    for ours in (True, False, True):
        ports.append(free_ports())
        nodes.append(
            cluster.add(
                ours,
                *("--tls-port", str(ports[-1]), "--tls-cluster", "yes", "--tls-replication", "yes"),
                *("--tls-cert-file", str(folder / "server.crt")),
                *("--tls-key-file", str(folder / "server.key")),
                *("--tls-ca-cert-file", str(folder / "ca.crt")),
            )
        )
    first, second, third = nodes
    assert first("CLUSTER", "ADDSLOTSRANGE", 0, 8191) == "OK"
    assert second("CLUSTER", "ADDSLOTSRANGE", 8192, 16383) == "OK"
    assert second("CLUSTER", "SET-CONFIG-EPOCH", 2) == "OK"
    for port in ports[1:]:
        assert first("CLUSTER", "MEET", "127.0.0.1", port) == "OK"
    cluster.wait_until_ok()
    wait_for(lambda: not isinstance(third("CLUSTER", "REPLICATE", second.id), Exception), "known")
    wait_for(lambda: has_data(third), "the replica has its data")
    plain = [row[2][1] for row in first("CLUSTER", "SLOTS")]
    assert plain == [first.port, second.port]
    secure = redis.Redis(
        port=ports[0], ssl=True, ssl_ca_certs=str(folder / "ca.crt"), decode_responses=True,
        ssl_certfile=str(folder / "client.crt"), ssl_keyfile=str(folder / "client.key"),
        ssl_check_hostname=False,
    )  # fmt: skip
    secure.response_callbacks.clear()
    told = [row[2][1] for row in secure.execute_command("CLUSTER", "SLOTS")]
    assert told == ports[:2]
    with pytest.raises(MovedError, match=f"12182 127.0.0.1:{ports[1]}"):
        secure.execute_command("GET", "foo")
    with pytest.raises(MovedError, match=f"12182 127.0.0.1:{second.port}"):
        first.client.execute_command("GET", "foo")
    secure.close()


def test_slots_move_encrypted(cluster: LiveCluster, tmp_path: Path) -> None:
    """A migration of slots goes over TLS where replication does."""
    folder = certificates.make(tmp_path)
    ports = [free_ports(), free_ports()]
    for port in ports:
        cluster.add(
            True,
            *("--tls-port", str(port), "--tls-cluster", "yes", "--tls-replication", "yes"),
            *("--tls-cert-file", str(folder / "server.crt")),
            *("--tls-key-file", str(folder / "server.key")),
            *("--tls-ca-cert-file", str(folder / "ca.crt")),
        )
    first, second = cluster.nodes
    assert first("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == "OK"
    assert first("CLUSTER", "MEET", "127.0.0.1", ports[1]) == "OK"
    wait_for(lambda: second.facts()["cluster_slots_ok"] == "16384", "slots are known")
    cluster.wait_until_ok()
    for number in range(2000):
        assert first("SET", f"key:{number}", number) == "OK"
    task = second("CLUSTER", "MIGRATION", "IMPORT", 0, 8191)
    assert isinstance(task, str) and len(task) == 40
    wait_for(lambda: owners_of(first, second) == {first.id, second.id}, "slots have moved")
    wait_for(lambda: first("DBSIZE") + second("DBSIZE") == 2000, "those that moved are trimmed")
    assert second("DBSIZE") > 900
    cluster.wait_until_ok()


def owners_of(*nodes: LiveNode) -> set[str]:
    """The IDs of all that own slots, as each of some nodes sees it."""
    seen = [{row[2][2] for row in node("CLUSTER", "SLOTS")} for node in nodes]
    return set.intersection(*seen)


def has_data(node: LiveNode) -> bool:
    """Whether it follows somebody, and has what that one has."""
    text = node("INFO", "replication")
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return fields["role"] == "slave" and fields.get("master_link_status") == "up"


def leads(node: LiveNode) -> bool:
    """Whether it is a primary with slots."""
    return node("ROLE")[0] == "master" and node.is_ok()


def heard(listening, text: str) -> bool:
    """Whether a message with this text has come."""
    message = listening.get_message(timeout=1)
    return message is not None and message["data"] == text
