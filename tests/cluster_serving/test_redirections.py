"""Which commands a node lets in, and where it sends the others."""

from __future__ import annotations

import pytest

from carnelian.engine.ground.flags import FLAG_LOADER, FLAG_PRIMARY
from support.local import LocalClient

from .conftest import MakeNode
from .local_node import ALIKE, KEY, OTHER, OTHER_SLOT, SLOT, LocalNode

MOVED = f"MOVED {SLOT} 10.0.0.1:7000"
ASK = f"ASK {SLOT} 10.0.0.1:7000"
CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot"
TRY_AGAIN = "TRYAGAIN Multiple keys request during rehashing of slot"
DOWN = "CLUSTERDOWN The cluster is down"


def test_commands_on_own_slots_run(client: LocalClient) -> None:
    assert client("SET", KEY, 1) == b"OK"
    assert client("MGET", KEY, ALIKE, KEY) == [b"1", None, b"1"]
    assert client("PING") == b"PONG"
    assert client("CLUSTER", "KEYSLOT", KEY) == SLOT
    assert client("CLUSTER", "KEYSLOT", OTHER) == OTHER_SLOT


def test_keys_of_others_are_redirected(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    for words in (("GET", KEY), ("SET", KEY, 1), ("MGET", KEY, ALIKE), ("EVAL", "x", 1, KEY)):
        assert client.error(*words) == MOVED
    assert client("GET", OTHER) is None
    found = node.engine.registry.find(b"get")
    assert found is not None and found.rejected_calls == 1
    assert node.engine.stats.errors["MOVED"] == 4


def test_keys_of_two_slots(client: LocalClient) -> None:
    assert client.error("MGET", KEY, OTHER) == CROSS_SLOT
    assert client.error("EVAL", "return 1", 2, KEY, OTHER) == CROSS_SLOT
    assert client.error("SORT", KEY, "STORE", OTHER) == CROSS_SLOT
    assert client.error("RENAME", KEY, OTHER) == CROSS_SLOT
    assert client.error("XREAD", "STREAMS", KEY, OTHER, 0, 0) == CROSS_SLOT
    assert client.error("SSUBSCRIBE", KEY, OTHER) == CROSS_SLOT


def test_words_that_make_no_sense_say_so_themselves(client: LocalClient) -> None:
    assert client.error("EVAL", "return 1", "x", KEY) == (
        "ERR value is not an integer or out of range"
    )
    assert client("MIGRATE", "h", 1, "", 0, 1, "KEYS") == b"NOKEY"


def test_a_slot_that_nobody_has(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, None)
    assert client.error("GET", KEY) == "CLUSTERDOWN Hash slot not served"
    node.view.is_ok = False
    assert client.error("GET", KEY) == "CLUSTERDOWN Hash slot not served"


def test_the_cluster_is_down(node: LocalNode, client: LocalClient) -> None:
    node.view.is_ok = False
    assert client.error("GET", KEY) == DOWN
    assert client.error("MGET", KEY, OTHER) == CROSS_SLOT
    assert client("PING") == b"PONG"
    assert client("DBSIZE") == 0
    assert client("SPUBLISH", KEY, "m") == 0
    node.view.is_ok = True
    assert client("GET", KEY) is None


def test_reads_when_down(make_node: MakeNode) -> None:
    node = make_node(cluster_allow_reads_when_down="yes", cluster_allow_pubsubshard_when_down="no")
    client = node.client()
    client("SET", KEY, 1)
    node.view.is_ok = False
    assert client("GET", KEY) == b"1"
    refusal = "CLUSTERDOWN The cluster is down and only accepts read commands"
    assert client.error("SET", KEY, 1) == refusal
    assert client("EVAL_RO", "return redis.call('get', KEYS[1])", 1, KEY) == b"1"
    assert client.error("EVAL", "#!lua\nreturn 1", 1, KEY) == refusal
    assert client.error("SPUBLISH", KEY, "m") == DOWN
    assert client("CONFIG", "SET", "cluster-allow-reads-when-down", "no") == b"OK"
    assert client("CONFIG", "SET", "cluster-allow-pubsubshard-when-down", "yes") == b"OK"
    assert client.error("GET", KEY) == DOWN
    assert client("SPUBLISH", KEY, "m") == 0


def test_a_slot_on_its_way_to_another_node(node: LocalNode, client: LocalClient) -> None:
    client("SET", KEY, 1)
    assert client("CLUSTER", "SETSLOT", SLOT, "MIGRATING", node.other.id) == b"OK"
    assert client("GET", KEY) == b"1"
    assert client.error("GET", ALIKE) == ASK
    assert client.error("MGET", ALIKE, "{foo}3") == ASK
    assert client.error("MGET", KEY, ALIKE) == TRY_AGAIN
    client("SET", KEY, 1, "PX", 10)
    node.clock.advance(20)
    # Past its time it is as good as gone, but it is not for this that it is deleted.
    assert client.error("GET", KEY) == ASK
    assert len(node.engine.keyspace.databases[0]) == 1
    # Channels are served until the slot has moved.
    assert client("SPUBLISH", KEY, "m") == 0
    # And who moves keys has to reach them.
    assert client("MIGRATE", "127.0.0.1", 1, ALIKE, 0, 10) == b"NOKEY"
    assert client("CLUSTER", "SETSLOT", SLOT, "STABLE") == b"OK"
    assert client("GET", ALIKE) is None


def test_a_slot_on_its_way_here(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    assert client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id) == b"OK"
    assert client.error("GET", KEY) == MOVED
    assert client("ASKING") == b"OK"
    assert client("SET", KEY, 1) == b"OK"
    assert client.error("GET", KEY) == MOVED
    client("ASKING")
    assert client.error("MGET", KEY, ALIKE) == TRY_AGAIN
    client("ASKING")
    assert client("MGET", KEY, KEY) == [b"1", b"1"]
    client("ASKING")
    assert client("EVAL", "return redis.call('get', KEYS[1])", 1, KEY) == b"1"
    payload = client("DUMP", OTHER)
    assert payload is None
    client("SET", OTHER, 2)
    payload = client("DUMP", OTHER)
    assert client("RESTORE-ASKING", ALIKE, 0, payload) == b"OK"
    assert client.error("RESTORE", ALIKE, 0, payload) == MOVED


def test_asking_lasts_for_a_transaction(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id)
    client("ASKING")
    client("MULTI")
    assert client("SET", KEY, 1) == b"QUEUED"
    assert client("GET", KEY) == b"QUEUED"
    assert client("EXEC") == [b"OK", b"1"]
    assert client.error("GET", KEY) == MOVED
    client("ASKING")
    client("PING")
    assert client.error("GET", KEY) == MOVED
    client("ASKING")
    client("ASKING")
    assert client("GET", KEY) == b"1"
    client("ASKING")
    client("RESET")
    assert client.error("GET", KEY) == MOVED


def test_transactions(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    client("MULTI")
    assert client("SET", OTHER, 1) == b"QUEUED"
    assert client.error("GET", KEY) == MOVED
    assert client.error("EXEC") == ("EXECABORT Transaction discarded because of previous errors.")
    assert client("GET", OTHER) is None


def test_exec_is_judged_as_a_whole(node: LocalNode, client: LocalClient) -> None:
    client("MULTI")
    assert client("SET", KEY, 1) == b"QUEUED"
    assert client("SET", OTHER, 1) == b"QUEUED"
    assert client.error("EXEC") == CROSS_SLOT
    assert client.error("EXEC") == "ERR EXEC without MULTI"
    client("MULTI")
    client("SET", KEY, 1)
    node.move(SLOT, node.other)
    assert client.error("EXEC") == MOVED
    assert client.session.transaction is None
    assert client("MULTI") == b"OK"
    client("PING")
    assert client("EXEC") == [b"PONG"]


def test_a_replica(node: LocalNode, client: LocalClient) -> None:
    client("SET", KEY, 1)
    node.follow(node.other)
    assert client.error("GET", KEY) == MOVED
    assert client("READONLY") == b"OK"
    assert b" flags=r " in client("CLIENT", "LIST").text
    assert client("GET", KEY) == b"1"
    assert client("MGET", KEY, ALIKE) == [b"1", None]
    assert client.error("SET", KEY, 1) == MOVED
    assert client("EVAL_RO", "return redis.call('get', KEYS[1])", 1, KEY) == b"1"
    assert client("EVAL", "#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])", 1, KEY) == (
        b"1"
    )
    assert client.error("EVAL", "#!lua\nreturn redis.call('get', KEYS[1])", 1, KEY) == MOVED
    client("MULTI")
    assert client("GET", KEY) == b"QUEUED"
    assert client("EXEC") == [b"1"]
    client("MULTI")
    assert client.error("SET", KEY, 1) == MOVED
    assert client.error("EXEC").startswith("EXECABORT")
    third = node.add(7001)
    node.move(SLOT, third)
    assert client.error("GET", KEY) == f"MOVED {SLOT} 10.0.0.1:7001"
    node.move(SLOT, node.other)
    assert client("READWRITE") == b"OK"
    assert client.error("GET", KEY) == MOVED
    assert client("SSUBSCRIBE", KEY)[0] == [b"ssubscribe", KEY.encode(), 1]


def test_who_is_obeyed(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    for flag in (FLAG_PRIMARY, FLAG_LOADER):
        obeyed = node.client()
        obeyed.session.flags |= flag
        assert obeyed("SET", KEY, 1) == b"OK"
        assert obeyed("EVAL", "return redis.call('get', KEYS[1])", 1, KEY) == b"1"


def test_other_names_of_nodes(make_node: MakeNode) -> None:
    node = make_node(cluster_preferred_endpoint_type="hostname")
    client = node.client()
    node.move(SLOT, node.other)
    assert client.error("GET", KEY) == f"MOVED {SLOT} ?:7000"
    node.other.hostname = "node.example.com"
    assert client.error("GET", KEY) == f"MOVED {SLOT} node.example.com:7000"
    client("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    assert client.error("GET", KEY) == f"MOVED {SLOT} :7000"
    client("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")
    node.other.ip = "::1"
    assert client.error("GET", KEY) == f"MOVED {SLOT} ::1:7000"


def test_ports_for_tls(
    node: LocalNode, client: LocalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.other.tls_port = 7443
    node.move(SLOT, node.other)
    assert client.error("GET", KEY) == MOVED
    monkeypatch.setattr(type(client.session), "is_encrypted", lambda self: True, raising=False)
    assert client.error("GET", KEY) == f"MOVED {SLOT} 10.0.0.1:7443"


def test_one_database(client: LocalClient) -> None:
    client("SET", KEY, 1)
    assert client("SELECT", 0) == b"OK"
    assert client.error("SELECT", 1) == "ERR SELECT is not allowed in cluster mode"
    assert client.error("SELECT", 99) == "ERR SELECT is not allowed in cluster mode"
    assert client.error("MOVE", KEY, 1) == "ERR MOVE is not allowed in cluster mode"
    assert client.error("SWAPDB", 0, 1) == "ERR SWAPDB is not allowed in cluster mode"
    assert client("COPY", KEY, ALIKE, "DB", 0) == 1
    assert client.error("COPY", KEY, ALIKE, "DB", 1) == (
        "ERR Copying to another database is not allowed in cluster mode"
    )
    assert client.error("REPLICAOF", "h", 1) == "ERR REPLICAOF not allowed in cluster mode."
    assert client.error("FAILOVER") == (
        "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."
    )


def test_patterns_of_sort(client: LocalClient) -> None:
    client("RPUSH", KEY, 2, 1)
    client("MSET", "{foo}w1", 9, "{foo}w2", 3)
    assert client("SORT", KEY, "BY", "{foo}w*", "GET", "#", "GET", "{foo}w*") == [
        b"2", b"3", b"1", b"9",
    ]  # fmt: skip
    assert client("SORT", KEY, "BY", "nosort") == [b"2", b"1"]
    refusal = (
        "SORT denied in cluster mode when keys formed by the pattern may be in different slots."
    )
    assert client.error("SORT", KEY, "BY", "w*") == f"ERR BY option of {refusal}"
    assert client.error("SORT", KEY, "GET", "{bar}w*") == f"ERR GET option of {refusal}"
    assert client.error("SORT_RO", KEY, "GET", "w") == f"ERR GET option of {refusal}"


def test_scans_of_one_slot(client: LocalClient) -> None:
    client("MSET", KEY, 1, ALIKE, 2)
    client("SET", OTHER, 1)
    assert client("DBSIZE") == 3
    assert sorted(client("KEYS", "*")) == [OTHER.encode(), KEY.encode(), ALIKE.encode()]
    assert client("KEYS", "{foo}*") == [ALIKE.encode()]
    assert client("CLUSTER", "COUNTKEYSINSLOT", SLOT) == 2
    assert sorted(client("CLUSTER", "GETKEYSINSLOT", SLOT, 10)) == [b"foo", b"{foo}2"]
    assert len(client("CLUSTER", "GETKEYSINSLOT", SLOT, 1)) == 1
    client("FLUSHALL")
    assert client("CLUSTER", "COUNTKEYSINSLOT", SLOT) == 0


def test_words_of_keys_that_make_no_sense_are_not_sent_elsewhere(
    node: LocalNode, client: LocalClient
) -> None:
    node.move(SLOT, node.other)
    node.move(0, node.other)  # that of the empty key
    assert client.error("XREAD", "COUNT", 1, "STREAMS", KEY, 0, 0).startswith("ERR Unbalanced")
    assert client.error("XREAD", "COUNT", "STREAMS", KEY, 0) == (
        "ERR value is not an integer or out of range"
    )
    assert client.error("XREAD", "COUNT", 1, "STREAMS", KEY, 0) == MOVED
    assert client.error("XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", KEY, ">") == MOVED
    assert client.error("XREADGROUP", "GROUP", "g", "c", "CLAIM", 1, "STREAMS", KEY, 1) == MOVED
    assert client.error("MIGRATE", "h", 1, KEY, 0, 10, "KEYS", KEY) == (
        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
    )
    assert client("MIGRATE", "h", 1, "", 0, 10, "KEYS") == b"NOKEY"
    assert client.error("MIGRATE", "h", 1, "", 0, 10, "KEYS", KEY) == MOVED
    assert client.error("MIGRATE", "h", 1, KEY, 0, 10, "AUTH", "KEYS") == MOVED


def test_the_last_of_several_places_to_store_into_counts(client: LocalClient) -> None:
    words = ("GEORADIUS", KEY, 1, 1, 1, "m", "STORE")
    assert client(*words, OTHER, "STORE", ALIKE) == 0
    assert client.error(*words, ALIKE, "STORE", OTHER) == CROSS_SLOT
