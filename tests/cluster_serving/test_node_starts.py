"""How a node starts and ends: its data, its file, its ports."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.servers import require

from .live_cluster import TIMEOUT, LiveCluster, LiveNode, free_ports, wait_for
from .test_live_clusters import has_data

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    """A cluster without nodes."""
    made = LiveCluster(tmp_path)
    yield made
    made.stop()


def refusal(directory: Path, *arguments: str) -> str:
    """What a server logs that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "carnelian", "--save", "", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_a_server_with_data_becomes_a_node(cluster: LiveCluster) -> None:
    """It takes the slots of its keys."""
    alone = cluster.add(True, "--cluster-enabled", "no", "--save", "900 1")
    for number in range(20):
        alone("SET", f"key:{number}", number)
    assert alone("SAVE") == "OK"
    alone.kill()
    again = LiveNode(alone.directory, True)
    cluster.nodes.append(again)
    assert "which nobody has: it is ours" in again.log
    assert int(again.facts()["cluster_slots_assigned"]) == 20
    require("redis-cli", "redis-tools")
    cluster.cli("fix", again.address)
    wait_for(again.is_ok, "it serves commands")
    assert again("GET", "key:7") == "7"


def test_slots_that_have_come_outlive_a_crash(cluster: LiveCluster) -> None:
    require("redis-cli", "redis-tools")
    first, second, third = [cluster.add(True) for _ in range(3)]
    cluster.create([first, second, third])
    for slot in (100, 101, 102):
        assert second("CLUSTER", "SETSLOT", slot, "IMPORTING", first.id) == "OK"
        assert first("CLUSTER", "SETSLOT", slot, "MIGRATING", second.id) == "OK"
        assert second("CLUSTER", "SETSLOT", slot, "NODE", second.id) == "OK"
    id = second.id
    second.kill()
    assert b"\nvars slot 102," in (second.directory / "nodes.conf").read_bytes()
    second.start()
    (line,) = [line for line in second("CLUSTER", "NODES").splitlines() if "myself" in line]
    assert line.startswith(id) and line.split()[8:] == ["100-102", "5461-10922"]


def test_redis_server_skips_notes_of_slots(cluster: LiveCluster) -> None:
    node = cluster.add(False)
    id = node.id
    node.kill()
    with (node.directory / "nodes.conf").open("a") as file:
        file.write(f"vars slot 5,{id},-\n")
    node.start()
    assert node("CLUSTER", "MYID") == id


def test_keys_in_another_database(cluster: LiveCluster, tmp_path: Path) -> None:
    alone = cluster.add(True, "--cluster-enabled", "no", "--save", "900 1")
    with alone.client.pipeline(transaction=True) as pipe:
        pipe.execute_command("SELECT", 3)
        pipe.set("k", "v")
        pipe.execute()
    alone("SAVE")
    alone.kill()
    assert "You can't have keys in a DB different than DB 0 when in Cluster mode. Exiting." in (
        refusal(alone.directory, "--cluster-enabled", "yes", "--port", str(free_ports()))
    )


def test_what_keeps_a_node_from_starting(cluster: LiveCluster, tmp_path: Path) -> None:
    assert "Your Redis port number must be 55535 or less." in refusal(
        tmp_path, "--cluster-enabled", "yes", "--port", "60000"
    )
    assert "*** FATAL CONFIG FILE ERROR" in subprocess.run(
        [sys.executable, "-m", "carnelian", "--cluster-enabled", "yes", "--replicaof", "h", "1"],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    ).stderr  # fmt: skip
    node = cluster.add(True)
    text = refusal(node.directory, "--cluster-enabled", "yes", "--port", str(free_ports()))
    assert (
        "Sorry, the cluster configuration file nodes.conf is already used by a different Redis "
        "Cluster node. Please make sure that different nodes use different cluster configuration "
        "files."
    ) in text
    bus = str(node.port + 10000)
    assert f"Failed listening on port {bus} (cluster), aborting." in refusal(
        tmp_path, "--cluster-enabled", "yes", "--port", str(free_ports()), "--cluster-port", bus
    )


def test_a_bus_that_is_open_is_told_of_or_refused(cluster: LiveCluster, tmp_path: Path) -> None:
    node = cluster.add(True)
    assert node.log.count("the cluster bus port is not authenticated") == 1
    error = node("CONFIG", "SET", "cluster-bus-port-protected-mode", "yes")
    assert str(error) == (
        "CONFIG SET failed (possibly related to argument 'cluster-bus-port-protected-mode') - "
        "can't enable cluster-bus-port-protected-mode while tls-cluster is disabled, as that "
        "leaves the cluster bus port unauthenticated; enable tls-cluster first, or in the same "
        "CONFIG SET call"
    )
    assert node("CONFIG", "GET", "cluster-bus-port-protected-mode") == {
        "cluster-bus-port-protected-mode": "no"
    }
    refused = subprocess.run(
        [
            *(sys.executable, "-m", "carnelian", "--port", "0", "--cluster-enabled", "yes"),
            *("--cluster-bus-port-protected-mode", "yes"),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert (
        "cluster-bus-port-protected-mode is enabled but tls-cluster is disabled" in refused.stderr
    )
    # Who is no node has no bus.
    alone = cluster.add(True, "--cluster-enabled", "no", "--cluster-bus-port-protected-mode", "yes")
    assert "not authenticated" not in alone.log
    for value in ("no", "yes"):
        assert alone("CONFIG", "SET", "cluster-bus-port-protected-mode", value) == "OK"


def test_names_outlive_a_restart(cluster: LiveCluster) -> None:
    node = cluster.add(True)
    for name in ("me", "caf\u00e9", b"\xff"):
        assert node("CONFIG", "SET", "cluster-announce-human-nodename", name) == "OK"
        assert node("CLUSTER", "SAVECONFIG") == "OK"
    id = node.id
    node.kill()
    assert b",nodename=\xff,shard-id=" in (node.directory / "nodes.conf").read_bytes()
    node.start()
    assert node.id == id


def test_a_port_for_the_bus(cluster: LiveCluster) -> None:
    bus = free_ports()
    node = cluster.add(True, "--cluster-port", str(bus))
    assert f":{node.port}@{bus} " in node("CLUSTER", "NODES")
    assert node("CONFIG", "SET", "cluster-announce-bus-port", 1234) == "OK"
    assert node("CONFIG", "SET", "cluster-announce-ip", "10.1.2.3") == "OK"
    assert f" 10.1.2.3:{node.port}@1234 " in node("CLUSTER", "NODES")
    assert node("CONFIG", "SET", "cluster-announce-port", 4321) == "OK"
    assert " 10.1.2.3:4321@1234 " in node("CLUSTER", "NODES")
    assert node("CONFIG", "SET", "cluster-announce-hostname", "me.example.com") == "OK"
    assert "@1234,me.example.com " in node("CLUSTER", "NODES")
    title = Path(f"/proc/{node.process.pid}/cmdline").read_bytes()
    assert b"[cluster]" in title
    assert "redis_mode:cluster" in node("INFO", "server")


def test_replicas_and_primaries_that_come_back(cluster: LiveCluster) -> None:
    """They are who they were, and a replica goes on where its snapshot was."""
    primary = cluster.add(True, "--save", "900 1")
    replica = cluster.add(True, "--save", "900 1")
    assert primary("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == "OK"
    primary("CLUSTER", "MEET", "127.0.0.1", replica.port)
    wait_for(
        lambda: not isinstance(replica("CLUSTER", "REPLICATE", primary.id), Exception), "known"
    )
    wait_for(lambda: has_data(replica), "the replica has its data")
    wait_for(primary.is_ok, "commands are served")
    primary("SET", "k", "v")
    wait_for(lambda: replica("DBSIZE") == 1, "it was replicated")
    ids = primary.id, replica.id
    replica.process.send_signal(signal.SIGTERM)
    assert replica.process.wait(TIMEOUT) == 0
    primary("SET", "k", "w")
    replica.start()
    wait_for(lambda: has_data(replica), "the replica goes on")
    assert "Successful partial resynchronization" in replica.log
    assert (primary.id, replica.id) == ids
    assert f" slave {primary.id} " in replica("CLUSTER", "NODES").replace("myself,", " ")
    # CONFIG REWRITE tells nothing of whom it follows: that stands in its own file.
    primary.process.send_signal(signal.SIGTERM)
    assert primary.process.wait(TIMEOUT) == 0
    primary.start()
    wait_for(primary.is_ok, "commands are served again")
    assert primary.id == ids[0] and primary("GET", "k") == "w"
    wait_for(lambda: has_data(replica), "the replica follows again")


def test_files_of_the_other_kind(cluster: LiveCluster, tmp_path: Path) -> None:
    """A node goes on as the other kind of server with the file that is there."""
    require("redis-server", "redis-server")
    node = cluster.add(False)
    node("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    node("CLUSTER", "SET-CONFIG-EPOCH", 3)
    wait_for(node.is_ok, "commands are served")
    id = node.id
    for ours in (True, False, True):
        node.stop()
        node = LiveNode(node.directory, ours)
        cluster.nodes.append(node)
        assert node.id == id
        wait_for(node.is_ok, "commands are served")
        assert node.facts()["cluster_my_epoch"] == "3"
