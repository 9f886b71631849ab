"""Replies of many elements, which are made part by part while they are written."""

from __future__ import annotations

from typing import Any

import pytest

from support.wire import WireClient, request

SIZE = 5000
NAMES = [b"m%d" % number for number in range(SIZE)]

# Readers of a large list, set, hash and sorted set, and of all keys.
READERS = [
    "LRANGE l 0 -1", "LRANGE l 1 -2", "SMEMBERS s", "HGETALL h", "HKEYS h", "HVALS h",
    "ZRANGE z 0 -1", "ZRANGE z 3 -1 WITHSCORES", "ZREVRANGE z 0 -1 WITHSCORES",
    "ZRANGEBYSCORE z 10 (4990", "ZRANGE z 0 -1 REV", "KEYS k:*", "KEYS *",
]  # fmt: skip
RANDOM = {
    "SRANDMEMBER s": NAMES, "HRANDFIELD h": NAMES, "ZRANDMEMBER z": NAMES,
}  # fmt: skip


@pytest.fixture
def server(start: Any) -> Any:
    server = start("--enable-debug-command", "yes")
    client = server.connect()
    client.call("RPUSH", "l", *NAMES)
    client.call("SADD", "s", *NAMES)
    client.call("HSET", "h", *(word for name in NAMES for word in (name, b"v" + name)))
    client.call("ZADD", "z", *(word for n, name in enumerate(NAMES) for word in (n, name)))
    client.call("MSET", *(word for name in NAMES for word in (b"k:" + name, b"v")))
    return server


def flat(reply: Any) -> Any:
    """The texts of a reply, pairs or not."""
    return [item.value if not isinstance(item.value, list) else flat(item) for item in reply.items]


@pytest.mark.parametrize("protocol", [2, 3])
def test_they_are_the_same_as_in_a_transaction(server: Any, protocol: int):
    client = WireClient(server.port)
    client.call("HELLO", protocol)
    for line in READERS:
        words = line.split()
        client.call("MULTI")
        client.call(*words)
        (whole,) = client.call("EXEC").items
        lazy = client.call(*words)
        assert lazy.kind == whole.kind
        assert len(flat(lazy)) == len(flat(whole)) >= SIZE - 20
        if words[0] in ("SMEMBERS", "HKEYS", "HVALS", "KEYS"):
            assert sorted(flat(lazy)) == sorted(flat(whole))
        elif words[0] == "HGETALL":
            texts = [dict(zip(f[::2], f[1::2], strict=True)) for f in (flat(lazy), flat(whole))]
            assert texts[0] == texts[1]
        else:
            assert lazy == whole
    client.close()


@pytest.mark.parametrize("protocol", [2, 3])
def test_random_ones_are_as_many_as_asked_for(server: Any, protocol: int):
    client = WireClient(server.port)
    client.call("HELLO", protocol)
    for line, names in RANDOM.items():
        reply = client.call(*line.split(), -7000)
        assert len(reply.items) == 7000
        assert {item.value for item in reply.items} <= set(names)
    for line in ("HRANDFIELD h -7000 WITHVALUES", "ZRANDMEMBER z -7000 WITHSCORES"):
        items = client.call(*line.split()).items
        assert len(items) == (14000 if protocol == 2 else 7000)
        if protocol == 3:
            assert all(len(pair.items) == 2 for pair in items)
    assert client.call("PING").value == b"PONG"
    client.close()


def test_a_hash_with_fields_past_their_time(server: Any):
    client = server.connect()
    client.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    client.call("HPEXPIRE", "h", 1, "FIELDS", 10, *NAMES[:10])
    client.call("DEBUG", "SLEEP", "0.01")
    assert sorted(client.call("HKEYS", "h")) == sorted(NAMES[10:])
    assert len(client.call("HGETALL", "h")) == 2 * (SIZE - 10)
    assert client.call("PING") == b"+PONG"


def test_what_comes_before_and_after_stays_in_its_place(server: Any):
    client = server.connect()
    before = request("ECHO", "before")
    client.send(before + request("KEYS", "*") + request("HGETALL", "h") + request("ECHO", "after"))
    assert client.reply() == b"before"
    assert len(client.reply()) == SIZE + 4
    assert len(client.reply()) == 2 * SIZE
    assert client.reply() == b"after"


def test_a_silent_client_gets_none_of_it(server: Any):
    client = server.connect()
    client.send(request("CLIENT", "REPLY", "SKIP") + request("SMEMBERS", "s") + request("PING"))
    assert client.reply() == b"+PONG"


@pytest.mark.parametrize(
    "words",
    [
        ("HRANDFIELD", "h", -999_999_999), ("SRANDMEMBER", "s", -999_999_999),
        ("ZRANDMEMBER", "z", -999_999_999, "WITHSCORES"), ("KEYS", "*"), ("LRANGE", "l", 0, -1),
    ],
)  # fmt: skip
def test_they_end_where_the_limit_of_output_is(server: Any, words: tuple):
    control, client = server.connect(), server.connect()
    control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 20000 0 0")
    client.send(request(*words))
    assert client.at_end()
    assert control.call("PING") == b"+PONG"


@pytest.mark.parametrize("silent", [False, True])
def test_their_making_belongs_to_the_call(server: Any, silent: bool):
    client = server.connect()
    client.call("CONFIG", "SET", "slowlog-log-slower-than", 0)
    client.call("CONFIG", "RESETSTAT")
    if silent:
        client.send(request("CLIENT", "REPLY", "SKIP") + request("LRANGE", "l", 0, -1))
    else:
        client.call("LRANGE", "l", 0, -1)
    (entry,) = client.call("SLOWLOG", "GET", 1)
    assert entry[3] == [b"LRANGE", b"l", b"0", b"-1"]
    assert b"cmdstat_lrange:calls=1," in client.call("INFO", "commandstats")
