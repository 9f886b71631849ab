"""CLUSTER: what it replies with, and its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.cluster.known import node_flags
from carnelian.engine.engine import Engine
from support.local import LocalClient

from .conftest import MakeNode
from .local_node import KEY, OTHER, SLOT, LocalNode, fields

DISABLED = "ERR This instance has cluster support disabled"


def test_a_server_that_is_no_node(engine: Engine) -> None:
    client = LocalClient(engine)
    for words in (
        ("CLUSTER", "INFO"), ("CLUSTER", "MYID"), ("CLUSTER", "ADDSLOTS", 1), ("ASKING",),
        ("CLUSTER", "HELP"),
        ("CLUSTER", "KEYSLOT", "k"), ("READONLY",), ("READWRITE",),
        ("CLUSTER", "SLOT-STATS", "a", "b"),
        ("CLUSTER", "MIGRATION", "STATUS", "ALL"), ("CLUSTER", "RESET"), ("CLUSTER", "SAVECONFIG"),
    ):  # fmt: skip
        assert client.error(*words) == DISABLED
    assert client.error("CLUSTER", "NOTHING").startswith("ERR unknown subcommand")
    assert b"cluster_enabled:0" in client("INFO", "cluster").text


def test_help(client: LocalClient) -> None:
    assert client("CLUSTER", "HELP")[0].startswith(b"CLUSTER <subcommand>")


# -- What is told ----------------------------------------------------------------------------------


def test_ids(node: LocalNode, client: LocalClient) -> None:
    assert client("CLUSTER", "MYID") == node.myself.id.encode()
    assert client("CLUSTER", "MYSHARDID") == node.myself.shard_id.encode()


MIGRATIONS = [
    f"cluster_slot_migration_{name}:0"
    for name in (
        "active_tasks",
        "active_trim_running",
        "active_trim_current_job_keys",
        "active_trim_current_job_trimmed",
        "stats_active_trim_started",
        "stats_active_trim_completed",
        "stats_active_trim_cancelled",
    )
]


def test_info(node: LocalNode, client: LocalClient) -> None:
    lines = client("CLUSTER", "INFO").text.decode().splitlines()
    assert lines == [
        "cluster_state:ok",
        "cluster_slots_assigned:16384",
        "cluster_slots_ok:16384",
        "cluster_slots_pfail:0",
        "cluster_slots_fail:0",
        "cluster_known_nodes:2",
        "cluster_size:1",
        "cluster_current_epoch:0",
        "cluster_my_epoch:0",
        "cluster_stats_messages_sent:0",
        "cluster_stats_messages_received:0",
        "total_cluster_links_buffer_limit_exceeded:0",
        *MIGRATIONS,
    ]
    node.view.give(range(10), node.other)
    node.view.give([10], None)
    node.other.flags |= node_flags.PFAIL
    node.view.current_epoch = node.myself.config_epoch = 7
    node.view.statistics.sent[0] = 3
    node.view.statistics.sent[10] = 1
    node.view.statistics.received[1] = 2
    lines = client("CLUSTER", "INFO").text.decode().splitlines()
    assert lines[1:5] == [
        "cluster_slots_assigned:16383",
        "cluster_slots_ok:16373",
        "cluster_slots_pfail:10",
        "cluster_slots_fail:0",
    ]
    assert lines[7:] == [
        "cluster_current_epoch:7",
        "cluster_my_epoch:7",
        "cluster_stats_messages_ping_sent:3",
        "cluster_stats_messages_publishshard_sent:1",
        "cluster_stats_messages_sent:4",
        "cluster_stats_messages_pong_received:2",
        "cluster_stats_messages_received:2",
        "total_cluster_links_buffer_limit_exceeded:0",
        *MIGRATIONS,
    ]


def test_nodes(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id)
    client("CLUSTER", "SETSLOT", 7, "MIGRATING", node.other.id)
    mine, other = client("CLUSTER", "NODES").text.decode().splitlines()
    assert mine == (
        f"{node.myself.id} 127.0.0.1:6379@16379 myself,master - 0 0 0 connected 0-12181 "
        f"12183-16383 [7->-{node.other.id}] [12182-<-{node.other.id}]"
    )
    assert other == f"{node.other.id} 10.0.0.1:7000@17000 master - 0 0 0 disconnected 12182"
    reply = client.call("CLUSTER", "NODES")
    assert reply.kind == b"$"
    assert node.client(3).call("CLUSTER", "NODES").kind == b"="


def test_replicas(node: LocalNode, client: LocalClient) -> None:
    replica = node.add(7001, node_flags.REPLICA)
    node.view.make_replica(replica, node.myself)
    (line,) = client("CLUSTER", "REPLICAS", node.myself.id)
    assert line.decode().split()[:4] == [
        replica.id, "10.0.0.1:7001@17001", "slave", node.myself.id,
    ]  # fmt: skip
    assert client("CLUSTER", "SLAVES", node.other.id) == []
    assert client.error("CLUSTER", "REPLICAS", replica.id) == (
        "ERR The specified node is not a master"
    )
    assert client.error("CLUSTER", "REPLICAS", "x") == "ERR Unknown node x"


def test_slots(node: LocalNode, client: LocalClient) -> None:
    node.view.give(range(5, 10), node.other)
    node.view.give([16383], None)
    replica = node.add(7001, node_flags.REPLICA)
    node.view.make_replica(replica, node.other)
    mine = [b"127.0.0.1", 6379, node.myself.id.encode(), []]
    other = [b"10.0.0.1", 7000, node.other.id.encode(), []]
    assert client("CLUSTER", "SLOTS") == [[0, 4, mine], [5, 9, other], [10, 16382, mine]]
    # A replica that has no data yet is of no use, nor is one that has failed.
    replica.repl_offset = 1
    there = [b"10.0.0.1", 7001, replica.id.encode(), []]
    assert client("CLUSTER", "SLOTS")[1] == [5, 9, other, there]
    replica.flags |= node_flags.FAIL
    assert client("CLUSTER", "SLOTS")[1] == [5, 9, other]


def test_slots_with_names(make_node: MakeNode) -> None:
    node = make_node(cluster_preferred_endpoint_type="hostname")
    client = node.client()
    mine = node.myself.id.encode()
    assert client("CLUSTER", "SLOTS") == [[0, 16383, [b"?", 6379, mine, [b"ip", b"127.0.0.1"]]]]
    node.myself.hostname = "me.example.com"
    assert client("CLUSTER", "SLOTS")[0][2][0] == b"me.example.com"
    client("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    assert client("CLUSTER", "SLOTS")[0][2] == [
        None, 6379, mine, [b"ip", b"127.0.0.1", b"hostname", b"me.example.com"],
    ]  # fmt: skip
    client("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")
    assert client("CLUSTER", "SLOTS")[0][2] == [
        b"127.0.0.1", 6379, mine, [b"hostname", b"me.example.com"],
    ]  # fmt: skip
    assert node.client(3).call("CLUSTER", "SLOTS").items[0].items[2].items[3].kind == b"%"


def test_shards(node: LocalNode, client: LocalClient) -> None:
    replica = node.add(7001, node_flags.REPLICA)
    node.view.make_replica(replica, node.myself)
    node.view.set_shard(replica, node.myself.shard_id)
    node.view.give(range(100, 200), node.other)
    node.other.tls_port, node.other.hostname = 7443, "other"
    first, second = map(fields, client("CLUSTER", "SHARDS"))
    assert first[b"slots"] == [0, 99, 200, 16383]
    assert [fields(each) for each in first[b"nodes"]] == [
        {
            b"id": node.myself.id.encode(), b"port": 6379, b"ip": b"127.0.0.1",
            b"endpoint": b"127.0.0.1", b"role": b"master", b"replication-offset": 0,
            b"health": b"online",
        },
        {
            b"id": replica.id.encode(), b"port": 7001, b"ip": b"10.0.0.1",
            b"endpoint": b"10.0.0.1", b"role": b"replica", b"replication-offset": 0,
            b"health": b"loading",
        },
    ]  # fmt: skip
    assert second[b"slots"] == [100, 199]
    assert list(fields(second[b"nodes"][0])) == [
        b"id", b"port", b"tls-port", b"ip", b"endpoint", b"hostname", b"role",
        b"replication-offset", b"health",
    ]  # fmt: skip
    node.other.flags |= node_flags.FAIL
    assert fields(fields(client("CLUSTER", "SHARDS")[1])[b"nodes"][0])[b"health"] == b"fail"


def test_keys_in_slots(client: LocalClient) -> None:
    client("SET", KEY, 1)
    assert client("CLUSTER", "COUNTKEYSINSLOT", SLOT) == 1
    assert client("CLUSTER", "COUNTKEYSINSLOT", 1) == 0
    assert client.error("CLUSTER", "COUNTKEYSINSLOT", 16384) == "ERR Invalid slot"
    assert client.error("CLUSTER", "COUNTKEYSINSLOT", "x") == (
        "ERR value is not an integer or out of range"
    )
    assert client("CLUSTER", "GETKEYSINSLOT", SLOT, 0) == []
    for words in ((-1, 1), (16384, 1), (1, -1)):
        assert client.error("CLUSTER", "GETKEYSINSLOT", *words) == (
            "ERR Invalid slot or number of keys"
        )


def test_links_and_reports(node: LocalNode, client: LocalClient) -> None:
    assert client("CLUSTER", "LINKS") == []
    assert client("CLUSTER", "COUNT-FAILURE-REPORTS", node.other.id) == 0
    assert client.error("CLUSTER", "COUNT-FAILURE-REPORTS", "x") == "ERR Unknown node x"


def test_what_else_shows_the_cluster(node: LocalNode, client: LocalClient) -> None:
    assert b"cluster_enabled:1" in client("INFO", "cluster").text
    assert b"cluster_connections:2" in client("INFO", "clients").text
    memory = client("INFO", "memory").text
    assert b"mem_cluster_links:0" in memory
    for name in (b"output_buffer", b"input_buffer", b"input_buffer_peak"):
        assert b"mem_cluster_slot_migration_%s:0\r\n" % name in memory
    assert fields(client("HELLO"))[b"mode"] == b"cluster"
    assert fields(client("HELLO"))[b"role"] == b"master"
    assert fields(client("MEMORY", "STATS"))[b"cluster.links"] == 0


# -- What is changed -------------------------------------------------------------------------------


def test_adding_and_deleting_slots(node: LocalNode, client: LocalClient) -> None:
    assert client.error("CLUSTER", "ADDSLOTS", 1) == "ERR Slot 1 is already busy"
    assert client("CLUSTER", "DELSLOTS", 1, 2, 3) == b"OK"
    assert client.error("CLUSTER", "DELSLOTS", 1) == "ERR Slot 1 is already unassigned"
    assert client.error("CLUSTER", "ADDSLOTS", 1, 1) == "ERR Slot 1 specified multiple times"
    assert client.error("CLUSTER", "ADDSLOTS", 1, 16384) == "ERR Invalid or out of range slot"
    assert client.error("CLUSTER", "ADDSLOTS", "x") == "ERR Invalid or out of range slot"
    assert node.view.owners[1] is None
    assert client("CLUSTER", "ADDSLOTS", 1, 3) == b"OK"
    assert client("CLUSTER", "ADDSLOTSRANGE", 2, 2) == b"OK"
    assert node.myself.slot_count == 16384
    assert client("CLUSTER", "DELSLOTSRANGE", 0, 9, 20, 29) == b"OK"
    assert client.error("CLUSTER", "DELSLOTSRANGE", 5, 6, 9, 8) == (
        "ERR Slot 5 is already unassigned"
    )
    assert client.error("CLUSTER", "DELSLOTSRANGE", 31, 32, 9, 8) == (
        "ERR start slot number 9 is greater than end slot number 8"
    )
    assert client.error("CLUSTER", "DELSLOTSRANGE", 30, 31, 5) == (
        "ERR wrong number of arguments for 'cluster|delslotsrange' command"
    )
    assert client.error("CLUSTER", "ADDSLOTSRANGE", 5, 3) == (
        "ERR start slot number 5 is greater than end slot number 3"
    )
    assert client.error("CLUSTER", "ADDSLOTSRANGE", 5, 6, 6, 7) == (
        "ERR Slot 6 specified multiple times"
    )
    assert client("CLUSTER", "FLUSHSLOTS") == b"OK"
    assert node.myself.slot_count == 0
    assert client.error("GET", KEY) == "CLUSTERDOWN Hash slot not served"
    client("CLUSTER", "ADDSLOTS", SLOT)
    assert client("SET", KEY, 1) == b"OK"
    assert client.error("CLUSTER", "FLUSHSLOTS") == (
        "ERR DB must be empty to perform CLUSTER FLUSHSLOTS."
    )


def test_moving_slots(node: LocalNode, client: LocalClient) -> None:
    replica = node.add(7001, node_flags.REPLICA)
    node.view.make_replica(replica, node.other)
    bad = "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP"
    assert client.error("CLUSTER", "SETSLOT", 1, "NOWHERE") == bad
    assert client.error("CLUSTER", "SETSLOT", 1, "STABLE", "x") == bad
    assert client.error("CLUSTER", "SETSLOT", 1, "NODE") == bad
    assert client.error("CLUSTER", "SETSLOT", "x", "STABLE") == "ERR Invalid or out of range slot"
    for action in ("MIGRATING", "IMPORTING"):
        slot = 1 if action == "MIGRATING" else SLOT
        if action == "IMPORTING":
            node.move(SLOT, node.other)
        assert client.error("CLUSTER", "SETSLOT", slot, action, "x") == (
            "ERR I don't know about node x"
        )
        assert client.error("CLUSTER", "SETSLOT", slot, action, replica.id) == (
            "ERR Target node is not a master"
        )
    assert client.error("CLUSTER", "SETSLOT", SLOT, "MIGRATING", node.other.id) == (
        f"ERR I'm not the owner of hash slot {SLOT}"
    )
    assert client.error("CLUSTER", "SETSLOT", 1, "IMPORTING", node.other.id) == (
        "ERR I'm already the owner of hash slot 1"
    )
    assert client.error("CLUSTER", "SETSLOT", 1, "NODE", "x") == "ERR Unknown node x"
    assert client.error("CLUSTER", "SETSLOT", 1, "NODE", replica.id) == (
        "ERR Target node is not a master"
    )
    client("SET", OTHER, 1)
    assert client.error("CLUSTER", "SETSLOT", 5061, "NODE", node.other.id) == (
        "ERR Can't assign hashslot 5061 to a different node while I still hold keys for this hash "
        "slot."
    )
    assert client("CLUSTER", "SETSLOT", 1, "NODE", node.other.id) == b"OK"
    assert node.view.owners[1] is node.other
    assert client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id) == b"OK"
    assert client("CLUSTER", "SETSLOT", SLOT, "NODE", node.myself.id) == b"OK"
    assert SLOT not in node.view.importing_from and node.myself.config_epoch > 0
    assert client("SET", KEY, 1) == b"OK"
    node.view.give(range(16384), node.other)
    node.view.make_replica(node.myself, node.other)
    assert client.error("CLUSTER", "SETSLOT", 1, "STABLE") == (
        "ERR Please use SETSLOT only with masters."
    )


def test_meeting(node: LocalNode, client: LocalClient) -> None:
    assert client("CLUSTER", "MEET", "10.0.0.9", 7009) == b"OK"
    met = [each for each in node.view.nodes.values() if each.ip == "10.0.0.9"]
    assert [each.bus_port for each in met] == [17009]
    assert client("CLUSTER", "MEET", "10.0.0.8", 7009, 99) == b"OK"
    assert (
        client.error("CLUSTER", "MEET", "x", 7009) == "ERR Invalid node address specified: x:7009"
    )
    assert client.error("CLUSTER", "MEET", "10.0.0.9", 0) == (
        "ERR Invalid node address specified: 10.0.0.9:0"
    )
    assert client.error("CLUSTER", "MEET", "10.0.0.9", "x") == "ERR Invalid base port specified: x"
    assert (
        client.error("CLUSTER", "MEET", "10.0.0.9", 1, "x") == "ERR Invalid bus port specified: x"
    )
    assert client.error("CLUSTER", "MEET", "h", 1, 2, 3).startswith(
        "ERR unknown subcommand or wrong number of arguments for 'MEET'"
    )


def test_forgetting(node: LocalNode, client: LocalClient) -> None:
    assert client.error("CLUSTER", "FORGET", "x") == "ERR Unknown node x"
    assert client.error("CLUSTER", "FORGET", node.myself.id) == (
        "ERR I tried hard but I can't forget myself..."
    )
    node.follow(node.other)
    assert client.error("CLUSTER", "FORGET", node.other.id) == "ERR Can't forget my master!"
    third = node.add(7002)
    assert client("CLUSTER", "FORGET", third.id) == b"OK"
    assert node.view.find(third.id) is None


def test_replicating(node: LocalNode, client: LocalClient) -> None:
    replica = node.add(7001, node_flags.REPLICA)
    node.view.make_replica(replica, node.other)
    assert client.error("CLUSTER", "REPLICATE", "x") == "ERR Unknown node x"
    assert client.error("CLUSTER", "REPLICATE", node.myself.id) == "ERR Can't replicate myself"
    assert client.error("CLUSTER", "REPLICATE", replica.id) == (
        "ERR I can only replicate a master, not a replica."
    )
    assert client.error("CLUSTER", "REPLICATE", node.other.id) == (
        "ERR To set a master the node must be empty and without assigned slots."
    )


def test_failing_over(node: LocalNode, client: LocalClient) -> None:
    assert client.error("CLUSTER", "FAILOVER") == (
        "ERR You should send CLUSTER FAILOVER to a replica"
    )
    assert client.error("CLUSTER", "FAILOVER", "NOW") == "ERR syntax error"
    assert client.error("CLUSTER", "FAILOVER", "FORCE", "x").startswith(
        "ERR unknown subcommand or wrong number of arguments for 'FAILOVER'"
    )
    node.follow(node.other)
    assert client.error("CLUSTER", "FAILOVER") == (
        "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE"
    )
    node.myself.primary = None
    assert client.error("CLUSTER", "FAILOVER") == (
        "ERR I'm a replica but my master is unknown to me"
    )


def test_epochs(node: LocalNode, client: LocalClient) -> None:
    assert client("CLUSTER", "BUMPEPOCH") == b"BUMPED 1"
    assert client("CLUSTER", "BUMPEPOCH") == b"STILL 1"
    assert client.error("CLUSTER", "SET-CONFIG-EPOCH", -1) == (
        "ERR Invalid config epoch specified: -1"
    )
    assert client.error("CLUSTER", "SET-CONFIG-EPOCH", 5) == (
        "ERR The user can assign a config epoch only when the node does not know any other node."
    )
    node.view.remove(node.other)
    assert client.error("CLUSTER", "SET-CONFIG-EPOCH", 5) == (
        "ERR Node config epoch is already non-zero"
    )
    node.myself.config_epoch = 0
    assert client("CLUSTER", "SET-CONFIG-EPOCH", 5) == b"OK"
    assert client.error("CLUSTER", "SET-CONFIG-EPOCH", "x") == (
        "ERR value is not an integer or out of range"
    )


def test_resetting(node: LocalNode, client: LocalClient) -> None:
    before = node.myself.id
    client("SET", KEY, 1)
    assert client.error("CLUSTER", "RESET") == (
        "ERR CLUSTER RESET can't be called with master nodes containing keys"
    )
    client("FLUSHALL")
    assert client.error("CLUSTER", "RESET", "NOW") == "ERR syntax error"
    assert client("CLUSTER", "RESET", "SOFT") == b"OK"
    assert list(node.view.nodes) == [before] and node.myself.slot_count == 0
    assert client("CLUSTER", "RESET", "HARD") == b"OK"
    assert client("CLUSTER", "MYID") != before.encode()
    assert client.error("GET", KEY) == "CLUSTERDOWN Hash slot not served"


def test_saving(node: LocalNode, client: LocalClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client("CLUSTER", "SAVECONFIG") == b"OK"

    def fail(text: bytes, durable: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(node.service.around, "save", fail)
    assert client.error("CLUSTER", "SAVECONFIG") == (
        "ERR error saving the cluster node config: No space left on device"
    )


def test_whom_it_follows_is_not_in_the_configuration(
    node: LocalNode, client: LocalClient, tmp_path: Path
) -> None:
    path = tmp_path / "redis.conf"
    path.write_text("cluster-enabled yes\n")
    node.engine.config.path = str(path)
    node.engine.config["replicaof"] = ("10.0.0.1", 7000)
    assert client("CONFIG", "REWRITE") == b"OK"
    assert "replicaof" not in path.read_text() and "cluster-enabled yes" in path.read_text()


def test_debug(node: LocalNode, client: LocalClient) -> None:
    node.engine.config["enable-debug-command"] = "yes"
    assert client("DEBUG", "CLUSTERLINK", "KILL", "ALL", node.other.id) == b"OK"
    assert client.error("DEBUG", "CLUSTERLINK", "KILL", "ALL", "x") == "ERR Unknown node x"
    assert client.error("DEBUG", "CLUSTERLINK", "KILL", "UP", node.other.id) == (
        "ERR Unknown direction UP"
    )
    assert client("DEBUG", "DROP-CLUSTER-PACKET-FILTER", 1) == b"OK"
    assert client("DEBUG", "DROP-CLUSTER-PACKET-FILTER", -1) == b"OK"
