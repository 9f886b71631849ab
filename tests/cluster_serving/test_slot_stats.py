"""CLUSTER SLOT-STATS, and HOTKEYS of some slots."""

from __future__ import annotations

from typing import Any

from carnelian.cluster.serving.slot_stats import ReplicaEgress
from carnelian.replication.primary.primary_side import primary_of
from support.local import LocalClient

from .conftest import MakeNode
from .local_node import ALIKE, KEY, OTHER, OTHER_SLOT, SLOT, LocalNode, fields


def stats(client: LocalClient, slot: int) -> dict[bytes, int]:
    ((_, found),) = client("CLUSTER", "SLOT-STATS", "SLOTSRANGE", slot, slot)
    return fields(found)


def test_keys_alone(node: LocalNode, client: LocalClient) -> None:
    client("MSET", KEY, 1, ALIKE, 2)
    assert client("CLUSTER", "SLOT-STATS", "SLOTSRANGE", SLOT - 1, SLOT) == [
        [SLOT - 1, [b"key-count", 0]],
        [SLOT, [b"key-count", 2]],
    ]
    node.move(SLOT - 1, node.other)
    assert len(client("CLUSTER", "SLOT-STATS", "SLOTSRANGE", SLOT - 1, SLOT)) == 1
    assert client("CLUSTER", "SLOT-STATS", "ORDERBY", "KEY-COUNT", "LIMIT", 2) == [
        [SLOT, [b"key-count", 2]],
        [0, [b"key-count", 0]],
    ]
    rows = client("CLUSTER", "SLOT-STATS", "ORDERBY", "key-count", "ASC")
    assert len(rows) == 16383 and rows[-1][0] == SLOT
    assert (
        node.client(3).call("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 1, 1).items[0].items[1].kind
        == b"%"
    )


def test_errors(client: LocalClient) -> None:
    unknown = (
        "ERR unknown subcommand or wrong number of arguments for 'SLOT-STATS'. Try CLUSTER HELP."
    )
    assert client.error("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 1) == unknown
    assert client.error("CLUSTER", "SLOT-STATS", "OTHER", 1, 2) == unknown
    assert client.error("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 2, 1) == (
        "ERR Start slot number 2 is greater than end slot number 1"
    )
    assert client.error("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 0, 16384) == (
        "ERR Invalid or out of range slot"
    )
    order = ("CLUSTER", "SLOT-STATS", "ORDERBY")
    for metric in ("cpu-usec", "memory-bytes", "network-bytes-in", "x"):
        assert client.error(*order, metric) == "ERR Unrecognized sort metric for ORDERBY."
    assert client.error(*order, "key-count", "UP") == "ERR syntax error"
    assert client.error(*order, "key-count", "LIMIT") == "ERR syntax error"
    for limit in (0, 16385, "x"):
        assert client.error(*order, "key-count", "LIMIT", limit) == (
            "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."
        )
    twice = "ERR Multiple filters of the same type are disallowed."
    assert client.error(*order, "key-count", "LIMIT", 1, "LIMIT", 1) == twice
    assert client.error(*order, "key-count", "ASC", "DESC") == twice


def test_traffic(make_node: MakeNode) -> None:
    client = make_node(cluster_slot_stats_enabled="yes").client()
    client("SET", KEY, "value")
    found = stats(client, SLOT)
    assert list(found) == [
        b"key-count", b"cpu-usec", b"memory-bytes", b"network-bytes-in", b"network-bytes-out",
    ]  # fmt: skip
    # *3 $3 SET $3 foo $5 value
    assert found[b"network-bytes-in"] == 33
    assert found[b"network-bytes-out"] == len("+OK\r\n")
    assert found[b"memory-bytes"] == client("MEMORY", "USAGE", KEY)
    client("CONFIG", "RESETSTAT")
    assert stats(client, SLOT)[b"network-bytes-in"] == 0
    client("MULTI")
    client("SET", KEY, "value")
    client("GET", KEY)
    client("EXEC")
    found = stats(client, SLOT)
    # MULTI, SET, GET and EXEC.
    assert found[b"network-bytes-in"] == 15 + 33 + 22 + 14
    client("INFO")
    assert stats(client, OTHER_SLOT)[b"network-bytes-in"] == 0
    order = ("CLUSTER", "SLOT-STATS", "ORDERBY")
    assert client(*order, "network-bytes-in", "LIMIT", 1)[0][0] == SLOT
    assert client(*order, "network-bytes-out", "LIMIT", 1)[0][0] == SLOT
    assert client(*order, "memory-bytes", "LIMIT", 1)[0][0] == SLOT


def test_a_slot_that_is_lost_is_forgotten(make_node: MakeNode) -> None:
    node = make_node(cluster_slot_stats_enabled="yes")
    client = node.client()
    client("GET", KEY)
    node.move(SLOT, node.other)
    node.move(SLOT, node.myself)
    assert stats(client, SLOT)[b"network-bytes-in"] == 0
    client("GET", KEY)
    assert stats(client, SLOT)[b"network-bytes-in"] > 0
    node.move(SLOT, None)
    client("CLUSTER", "ADDSLOTS", SLOT)
    assert stats(client, SLOT)[b"network-bytes-in"] == 0


def test_memory_is_told_of_as_was_said_at_the_start(make_node: MakeNode) -> None:
    client = make_node(cluster_slot_stats_enabled="yes").client()
    client("CONFIG", "SET", "cluster-slot-stats-enabled", "no")
    client("SET", KEY, "value")
    assert list(stats(client, SLOT)) == [b"key-count", b"memory-bytes"]
    assert stats(client, SLOT)[b"memory-bytes"] > 0
    error = client.error("CLUSTER", "SLOT-STATS", "ORDERBY", "cpu-usec")
    assert error == "ERR Unrecognized sort metric for ORDERBY."


def test_memory_is_not_told_of_when_the_rest_is_wanted_later(make_node: MakeNode) -> None:
    client = make_node(cluster_slot_stats_enabled="no").client()
    client("CONFIG", "SET", "cluster-slot-stats-enabled", "yes")
    assert list(stats(client, SLOT)) == [
        b"key-count", b"cpu-usec", b"network-bytes-in", b"network-bytes-out",
    ]  # fmt: skip


def test_shard_channels(make_node: MakeNode) -> None:
    node = make_node(cluster_slot_stats_enabled="yes")
    client, listener = node.client(), node.client()
    listener("SSUBSCRIBE", KEY)
    found = stats(client, SLOT)
    assert found[b"network-bytes-in"] == len("*2$10ssubscribe$3foo") + 10
    assert found[b"network-bytes-out"] == len("*3$10ssubscribe$3foo:1") + 12
    client("CONFIG", "RESETSTAT")
    assert client("SPUBLISH", KEY, "hello") == 1
    found = stats(client, SLOT)
    assert found[b"network-bytes-in"] == len("*3$8spublish$3foo$5hello") + 14
    # The reply, and the message.
    assert found[b"network-bytes-out"] == len(":1") + 2 + len("*3$8smessage$3foo$5hello") + 14
    client("CONFIG", "RESETSTAT")
    client("PUBLISH", KEY, "hello")
    assert stats(client, SLOT)[b"network-bytes-out"] == 0
    client("CONFIG", "SET", "cluster-slot-stats-enabled", "no")
    client("SPUBLISH", KEY, "hello")
    client("CONFIG", "SET", "cluster-slot-stats-enabled", "yes")
    assert stats(client, SLOT)[b"network-bytes-out"] == 0


def test_what_goes_to_replicas(make_node: MakeNode) -> None:
    node = make_node(cluster_slot_stats_enabled="yes")
    told: list[tuple[int, int]] = []
    egress = ReplicaEgress(node.engine, lambda slot, size: told.append((slot, size)))
    egress.heard(0, [b"SET", KEY.encode(), b"value"])
    assert told == []
    replicas: Any = primary_of(node.engine).replicas
    replicas += ["one", "another"]
    egress.heard(0, [b"SET", KEY.encode(), b"value"])
    assert told.pop() == (SLOT, 2 * 33)
    for words in ([b"MULTI"], [b"SET", KEY.encode(), b"value"], [b"EXEC"]):
        assert told == []
        egress.heard(0, words)
    assert told.pop() == (SLOT, 2 * (15 + 33 + 14))
    egress.heard(0, [b"FUNCTION", b"FLUSH"])
    assert told.pop()[0] == -1
    replicas.clear()


def test_scripts_count_for_the_slot_they_use(make_node: MakeNode) -> None:
    client = make_node(cluster_slot_stats_enabled="yes").client()
    call = f"redis.call('get', '{KEY}')"
    client("EVAL", f"#!lua\n{call}", 0)
    before = stats(client, SLOT)[b"network-bytes-in"]
    assert before > 0
    # Who may use several slots counts for none.
    client("EVAL", f"#!lua flags=allow-cross-slot-keys\n{call}", 0)
    client("EVAL", call, 1, KEY)
    assert stats(client, SLOT)[b"network-bytes-in"] == before


def test_waiting_counts_when_it_ends(make_node: MakeNode) -> None:
    node = make_node(cluster_slot_stats_enabled="yes")
    client, waiting = node.client(), node.client()
    waiting("BLPOP", KEY, 0)
    assert stats(client, SLOT)[b"network-bytes-in"] == 0
    client("LPUSH", KEY, "value")
    node.engine.before_sleep()
    assert stats(client, SLOT)[b"network-bytes-in"] == 31 + 35


def test_hot_keys_of_some_slots(node: LocalNode, client: LocalClient) -> None:
    start = ("HOTKEYS", "START", "METRICS", 1, "NET")
    assert client.error(*start, "SLOTS", 0) == "ERR SLOTS count must be between 1 and 16384"
    assert client.error(*start, "SLOTS", 2, 1) == "ERR not enough slot numbers provided"
    assert client.error(*start, "SLOTS", 1, "x") == "ERR Invalid or out of range slot"
    assert client.error(*start, "SLOTS", 2, 1, 1) == "ERR duplicate slot number"
    assert client.error(*start, "SLOTS", 1, 1, "SLOTS", 1, 2) == (
        "ERR SLOTS parameter already specified"
    )
    node.move(7, node.other)
    assert client.error(*start, "SLOTS", 1, 7) == "ERR slot 7 not handled by this node"
    assert client(*start, "SLOTS", 3, SLOT, 2, 1, "COUNT", 5) == b"OK"
    client("SET", KEY, "value")
    client("SET", OTHER, "value")
    found = dict(client("HOTKEYS", "GET")[0].items())
    assert found[b"selected-slots"] == [[1, 2], [SLOT]]
    assert found[b"net-bytes-all-commands-selected-slots"] == 38
    assert found[b"net-bytes-all-commands-all-slots"] == 76
    assert found[b"by-net-bytes"] == [KEY.encode(), 38]
    client("HOTKEYS", "STOP")
    client(*start)
    assert client("HOTKEYS", "GET")[0][b"selected-slots"] == [[0, 6], [8, 16383]]
