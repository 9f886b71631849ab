"""Publish and subscribe."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import Push
from support.local import LocalClient
from support.wire import Reply


@pytest.fixture
def listener(engine: Engine) -> LocalClient:
    return LocalClient(engine)


def test_subscribe_counts_channels_and_patterns(listener: LocalClient) -> None:
    assert listener("SUBSCRIBE", "a", "b", "a") == [
        [b"subscribe", b"a", 1], [b"subscribe", b"b", 2], [b"subscribe", b"a", 2]
    ]  # fmt: skip
    assert listener("PSUBSCRIBE", "c*") == [[b"psubscribe", b"c*", 3]]
    assert listener("SSUBSCRIBE", "s") == [[b"ssubscribe", b"s", 1]]
    assert listener("UNSUBSCRIBE", "b") == [[b"unsubscribe", b"b", 2]]
    assert listener("PUNSUBSCRIBE") == [[b"punsubscribe", b"c*", 1]]
    assert listener("SUNSUBSCRIBE") == [[b"sunsubscribe", b"s", 0]]


@pytest.mark.parametrize("name", ["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"])
def test_leaving_nothing(listener: LocalClient, name: str) -> None:
    word = name.lower().encode()
    assert listener(name) == [[word, None, 0]]
    assert listener(name, "x", "y") == [[word, b"x", 0], [word, b"y", 0]]


def test_messages(client: LocalClient, listener: LocalClient) -> None:
    listener("SUBSCRIBE", "news")
    listener("PSUBSCRIBE", "n*", "x*")
    listener("SSUBSCRIBE", "news")
    assert client("PUBLISH", "news", "hello") == 2
    assert client("SPUBLISH", "news", "there") == 1
    assert client("PUBLISH", "other", "nobody") == 0
    assert listener.session.sent == [
        [b"message", b"news", b"hello"],
        [b"pmessage", b"n*", b"news", b"hello"],
        [b"smessage", b"news", b"there"],
    ]
    assert all(isinstance(message, Push) for message in listener.session.sent)


def test_messages_are_pushes_in_resp3(client: LocalClient, listener: LocalClient) -> None:
    listener("HELLO", 3)
    listener("SUBSCRIBE", "a")
    client("PUBLISH", "a", "b")
    assert [message.kind for message in listener.messages()] == [b">"]


def test_a_session_hears_itself(listener: LocalClient) -> None:
    listener("HELLO", 3)
    listener("SUBSCRIBE", "a")
    assert listener("PUBLISH", "a", "b") == 1
    assert listener.session.sent == [[b"message", b"a", b"b"]]


def test_only_some_commands_go_on_in_resp2(listener: LocalClient) -> None:
    listener("SUBSCRIBE", "a")
    assert listener.error("GET", "k") == (
        "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
        "are allowed in this context"
    )
    assert listener.error("CLIENT", "ID").startswith("ERR Can't execute 'client|id': only")
    assert listener("PING") == [b"pong", b""]
    listener("UNSUBSCRIBE")
    assert listener("GET", "k") is None


def test_all_commands_go_on_in_resp3(listener: LocalClient) -> None:
    listener("HELLO", 3)
    listener("SUBSCRIBE", "a")
    assert listener("GET", "k") is None


@pytest.mark.parametrize("name", ["SUBSCRIBE", "PSUBSCRIBE"])
def test_subscribing_in_a_transaction(listener: LocalClient, name: str) -> None:
    listener("MULTI")
    listener(name, "a")
    replies = listener.call("EXEC")
    assert replies.kind == b"*"
    assert listener.session.gate


def test_shard_channels_are_not_subscribed_to_in_a_transaction(listener: LocalClient) -> None:
    listener("MULTI")
    listener("SSUBSCRIBE", "a")
    (refused,) = listener("EXEC")
    assert str(refused) == "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
    assert not listener.session.gate


class TestPubsub:
    def test_channels(self, client: LocalClient, listener: LocalClient) -> None:
        listener("SUBSCRIBE", "one", "two")
        listener("PSUBSCRIBE", "three*")
        assert sorted(client("PUBSUB", "CHANNELS")) == [b"one", b"two"]
        assert client("PUBSUB", "CHANNELS", "t*") == [b"two"]

    def test_numsub(self, client: LocalClient, listener: LocalClient) -> None:
        listener("SUBSCRIBE", "one")
        assert client("PUBSUB", "NUMSUB", "one", "two") == [b"one", 1, b"two", 0]
        assert client("PUBSUB", "NUMSUB") == []

    def test_numpat_counts_patterns_once(self, client: LocalClient, listener: LocalClient) -> None:
        third = LocalClient(client.engine)
        listener("PSUBSCRIBE", "a*", "b*")
        third("PSUBSCRIBE", "a*")
        assert client("PUBSUB", "NUMPAT") == 2

    def test_shards(self, client: LocalClient, listener: LocalClient) -> None:
        listener("SSUBSCRIBE", "one")
        assert client("PUBSUB", "SHARDCHANNELS") == [b"one"]
        assert client("PUBSUB", "SHARDNUMSUB", "one", "two") == [b"one", 1, b"two", 0]
        assert client("PUBSUB", "CHANNELS") == []


def test_the_end_of_a_session_leaves_nothing(listener: LocalClient, engine: Engine) -> None:
    listener("SUBSCRIBE", "a")
    listener("PSUBSCRIBE", "b*")
    listener("SSUBSCRIBE", "c")
    engine.sessions.remove(listener.session)
    hub = engine.pubsub
    assert not (hub.channels or hub.patterns or hub.shard_channels)


class TestKeyspaceEvents:
    def test_off_unless_asked_for(self, client: LocalClient, listener: LocalClient) -> None:
        listener("PSUBSCRIBE", "*")
        client("SET", "k", "v")
        assert listener.messages() == []

    def test_both_kinds_of_channel(self, client: LocalClient, listener: LocalClient) -> None:
        client("CONFIG", "SET", "notify-keyspace-events", "KEA")
        client("SELECT", 9)
        listener("PSUBSCRIBE", "*")
        client("SET", "k", "v")
        client("DEL", "k")
        assert [message[2:] for message in listener.session.sent] == [
            [b"__keyspace@9__:k", b"set"],
            [b"__keyevent@9__:set", b"k"],
            [b"__keyspace@9__:k", b"del"],
            [b"__keyevent@9__:del", b"k"],
        ]

    def test_classes_are_chosen(self, client: LocalClient, listener: LocalClient) -> None:
        client("CONFIG", "SET", "notify-keyspace-events", "E$")
        listener("PSUBSCRIBE", "*")
        client("SET", "k", "v")
        client("DEL", "k")
        assert [message[2] for message in listener.session.sent] == [b"__keyevent@0__:set"]


def test_reply_forms(listener: LocalClient) -> None:
    parts = [Reply(b"$", b"subscribe"), Reply(b"$", b"a"), Reply(b":", 1)]
    assert listener.call("SUBSCRIBE", "a") == Reply(b"*", parts)
    listener("RESET")
    listener("HELLO", 3)
    assert listener.call("SUBSCRIBE", "a") == Reply(b">", parts)
