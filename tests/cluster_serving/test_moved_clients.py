"""Clients that wait or listen when slots move, and keys that go with them."""

from __future__ import annotations

from support.local import LocalClient, Recorder
from support.wire import Reply

from .local_node import ALIKE, KEY, OTHER, OTHER_SLOT, SLOT, LocalNode


def texts(messages: list[Reply]) -> list[object]:
    """Messages as plain values."""
    return [
        [part.value for part in message.items] if message.kind in (b"*", b">") else message.value
        for message in messages
    ]


def test_who_waits_is_redirected(node: LocalNode, client: LocalClient) -> None:
    waiting, staying = node.client(), node.client()
    waiting("BLPOP", KEY, ALIKE, 0)
    staying("BZPOPMIN", OTHER, 0)
    node.move(SLOT, node.other)
    assert texts(waiting.messages()) == [b"MOVED 12182 10.0.0.1:7000"]
    assert waiting.session.blocked is None and not waiting.session.closed
    assert staying.session.blocked is not None
    node.move(OTHER_SLOT, None)
    assert texts(staying.messages()) == [b"CLUSTERDOWN Hash slot not served"]
    assert node.engine.stats.errors == {"MOVED": 1, "CLUSTERDOWN": 1}


def test_who_waits_when_the_cluster_goes_down(node: LocalNode) -> None:
    waiting = node.client()
    waiting("XREAD", "BLOCK", 0, "STREAMS", KEY, "$")
    node.view.is_ok = False
    node.service.refresh()
    assert texts(waiting.messages()) == [b"CLUSTERDOWN The cluster is down"]


def test_who_waits_at_a_slot_that_is_imported(node: LocalNode, client: LocalClient) -> None:
    node.move(SLOT, node.other)
    client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id)
    waiting = node.client()
    waiting("ASKING")
    waiting("BLPOP", KEY, 0)
    node.service.refresh()
    assert waiting.session.blocked is not None
    client("CLUSTER", "SETSLOT", SLOT, "STABLE")
    node.service.refresh()
    assert texts(waiting.messages()) == [b"MOVED 12182 10.0.0.1:7000"]


def test_who_reads_from_a_replica_waits_on(node: LocalNode) -> None:
    node.follow(node.other)
    reading, writing = node.client(), node.client()
    reading("READONLY")
    reading("XREAD", "BLOCK", 0, "STREAMS", KEY, "$")
    assert writing.error("BLPOP", KEY, 0).startswith("MOVED")
    node.service.refresh()
    assert reading.session.blocked is not None
    node.move(SLOT, node.add(7001))
    assert texts(reading.messages()) == [b"MOVED 12182 10.0.0.1:7001"]


def test_channels_go_with_their_slot(node: LocalNode, client: LocalClient) -> None:
    listening = node.client(3)
    listening("SSUBSCRIBE", KEY, ALIKE)
    listening("SSUBSCRIBE", OTHER)
    listening.messages()
    assert client("SPUBLISH", KEY, "m") == 1
    assert texts(listening.messages()) == [[b"smessage", b"foo", b"m"]]
    node.move(SLOT, node.other)
    assert texts(listening.messages()) == [
        [b"sunsubscribe", b"foo", 2],
        [b"sunsubscribe", b"{foo}2", 1],
    ]
    assert client.error("SPUBLISH", KEY, "m").startswith("MOVED")
    assert client("SPUBLISH", OTHER, "m") == 1
    assert client("PUBSUB", "SHARDCHANNELS") == [b"bar"]


def test_channels_of_a_shard_stay_in_it(node: LocalNode) -> None:
    listening = node.client()
    listening("SSUBSCRIBE", KEY)
    listening.messages()
    node.follow(node.other)
    # This node serves them as a replica now.
    assert texts(listening.messages()) == []
    third = node.add(7001)
    node.view.give(range(16384), third)
    node.service.refresh()
    assert texts(listening.messages()) == [[b"sunsubscribe", b"foo", 0]]
    assert listening("PING") == b"PONG" and not listening.session.gate


def test_messages_go_to_other_nodes(node: LocalNode, client: LocalClient) -> None:
    sent: list[tuple] = []
    node.service.member.publish = lambda *words: sent.append(words)  # type: ignore[method-assign]
    written = Recorder(node.engine)
    assert client("PUBLISH", "news", "m") == 0
    assert client("SPUBLISH", KEY, "m") == 0
    assert sent == [(b"news", b"m", False), (b"foo", b"m", True)]
    assert written.take() == []


def test_messages_of_other_nodes(node: LocalNode) -> None:
    listening = node.client()
    listening("SUBSCRIBE", "news")
    listening("SSUBSCRIBE", KEY)
    listening.messages()
    node.service.around.deliver(b"news", b"1", False)
    node.service.around.deliver(b"foo", b"2", True)
    assert texts(listening.messages()) == [
        [b"message", b"news", b"1"],
        [b"smessage", b"foo", b"2"],
    ]


def test_keys_of_lost_slots_go(node: LocalNode, client: LocalClient) -> None:
    client("CONFIG", "SET", "notify-keyspace-events", "KEA")
    client("MSET", KEY, 1, ALIKE, 2)
    client("SET", OTHER, 1)
    watching, listening = node.client(), node.client()
    watching("WATCH", KEY)
    listening("PSUBSCRIBE", "__keyevent@0__:*")
    listening.messages()
    written = Recorder(node.engine)
    node.service.around.slots_lost([SLOT])
    assert sorted(written.take()) == [b"DEL foo", b"DEL {foo}2"]
    assert sorted(map(str, texts(listening.messages()))) == [
        "[b'pmessage', b'__keyevent@0__:*', b'__keyevent@0__:del', b'foo']",
        "[b'pmessage', b'__keyevent@0__:*', b'__keyevent@0__:del', b'{foo}2']",
    ]
    watching("MULTI")
    watching("PING")
    assert watching.call("EXEC").value is None
    assert client("DBSIZE") == 1


def test_a_node_that_is_reset_loses_the_keys_of_its_primary(
    node: LocalNode, client: LocalClient
) -> None:
    client("SET", KEY, 1)
    node.service.around.flush()
    assert client("DBSIZE") == 0


def test_one_that_waits_goes_on_where_its_key_has_gone(
    node: LocalNode, client: LocalClient
) -> None:
    client("XGROUP", "CREATE", KEY, "g", "$", "MKSTREAM")
    waiting = node.client()
    waiting("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", KEY, ">")
    client("CLUSTER", "SETSLOT", SLOT, "MIGRATING", node.other.id)
    assert waiting.session.blocked is not None
    # As MIGRATE does at its end.
    client("DEL", KEY)
    assert waiting.session.blocked is None
    assert texts(waiting.messages()) == [b"ASK 12182 10.0.0.1:7000"]
    assert node.engine.stats.errors == {"ASK": 1}


def test_one_that_waits_is_served_while_its_slot_is_on_its_way(
    node: LocalNode, client: LocalClient
) -> None:
    client("XADD", KEY, "1-1", "f", "v")
    waiting = node.client()
    waiting("XREAD", "BLOCK", 0, "STREAMS", KEY, "$")
    client("CLUSTER", "SETSLOT", SLOT, "MIGRATING", node.other.id)
    client("XADD", KEY, "1-2", "f", "w")
    assert len(waiting.messages()) == 1 and waiting.session.blocked is None
    assert node.engine.stats.errors == {}


def test_one_that_asked_for_a_slot_that_comes_is_served(
    node: LocalNode, client: LocalClient
) -> None:
    node.move(SLOT, node.other)
    client("CLUSTER", "SETSLOT", SLOT, "IMPORTING", node.other.id)
    client("CLUSTER", "SETSLOT", OTHER_SLOT, "MIGRATING", node.other.id)
    waiting = node.client()
    waiting("ASKING")
    waiting("BLPOP", KEY, 0)
    client("ASKING")
    client("RPUSH", KEY, "v")
    assert texts(waiting.messages()) == [[KEY.encode(), b"v"]]
