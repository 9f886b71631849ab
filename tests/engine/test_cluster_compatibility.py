"""What a cluster would refuse, as INFO counts it: cluster_incompatible_ops."""

from __future__ import annotations

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from support.local import LocalClient

RATIO = "cluster-compatibility-sample-ratio"
LIBRARY = """#!lua name=%s
redis.register_function{function_name='%s', callback=function() return 1 end, flags={%s}}"""


@pytest.fixture
def client() -> LocalClient:
    client = LocalClient(Engine())
    client("CONFIG", "SET", RATIO, 100)
    client("RPUSH", "list", 1, 2, 3)
    for number in (1, 2, 3):
        client("MSET", f"weight_{number}", 4 - number)
        client("MSET", f"weight{{list}}_{number}", 4 - number)
    return client


def incompatible(client: LocalClient) -> int | None:
    """The field of INFO, if it is there."""
    # Of its own, for one that has subscribed to something may not ask.
    asking = LocalClient(client.session.engine)
    lines = asking("INFO", "stats").text.decode().splitlines()
    found = [line.split(":")[1] for line in lines if line.startswith("cluster_incompatible_ops:")]
    return int(found[0]) if found else None


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["SELECT", 0], 0),
        (["SELECT", 1], 1),
        (["SELECT", 99], 0),
        (["SWAPDB", 0, 1], 1),
        (["COPY", "list", "other{list}"], 0),
        (["COPY", "list", "other{list}", "DB", 0, "REPLACE"], 0),
        (["COPY", "list", "other{list}", "REPLACE", "db", 1], 1),
        (["COPY", "list", "other"], 1),
        (["MOVE", "list", 1], 1),
        (["MOVE", "list", 0], 0),
        (["MSET", "foo", 1, "bar", 2], 1),
        (["MSET", "foo", 1, "bar{foo}", 2], 0),
        (["DEL", "foo", "bar"], 1),
        (["MGET", "foo", "bar", "foo"], 1),
        (["PING"], 0),
        (["SORT", "list", "BY", "weight_*"], 1),
        (["SORT", "list", "BY", "weight{list}_*"], 0),
        (["SORT", "list", "BY", "nosort", "GET", "#"], 0),
        (["SORT_RO", "list", "LIMIT", 0, 2, "GET", "weight_*", "GET", "weight{list}_*"], 1),
        (["SORT", "list", "BY", "weight_*", "GET", "object_*", "STORE", "x{list}"], 2),
        (["SORT", "list", "BY", "weight_*", "GET"], 0),
        (["SSUBSCRIBE", "foo", "bar"], 1),
        (["SSUBSCRIBE", "foo"], 0),
        (["SUBSCRIBE", "foo", "bar"], 0),
        (["EVAL", "#!lua flags=no-cluster\nreturn 1", 0], 1),
        (["EVAL", "#!lua\nreturn 1", 0], 0),
        (["EVAL", "#!lua\nredis.call('mset', KEYS[1], 0, KEYS[2], 0)", 2, "foo", "bar"], 1),
        (["EVAL", "#!lua\nredis.call('mset', 'foo', 0, 'bar', 0)", 0], 1),
        (["EVAL", "#!lua\nredis.call('set', 'foo', 0) redis.call('set', 'bar', 0)", 0], 1),
        (["EVAL", "redis.call('set', 'foo', 0) redis.call('set', 'bar', 0)", 0], 0),
        (
            [
                "EVAL",
                "#!lua flags=allow-cross-slot-keys\n"
                "redis.call('mset', 'foo', 0, 'bar', 0)\n"
                "redis.call('mset', KEYS[1], 0, KEYS[2], 0)",
                2, "foo", "bar{foo}",
            ],
            1,
        ),
        (
            [
                "EVAL",
                "#!lua flags=allow-cross-slot-keys\n"
                "redis.call('set', 'foo', 0) redis.call('set', 'bar', 0)",
                2, "foo", "bar{foo}",
            ],
            0,
        ),
    ],
)  # fmt: skip
def test_commands(client: LocalClient, words: list[object], count: int) -> None:
    before = incompatible(client)
    assert before is not None
    client.session.engine.execute(client.session, [str(word).encode() for word in words])
    assert incompatible(client) == before + count


def test_functions(client: LocalClient) -> None:
    client("FUNCTION", "LOAD", LIBRARY % ("one", "f1", "'no-cluster'"))
    client("FUNCTION", "LOAD", LIBRARY % ("two", "f2", ""))
    before = incompatible(client)
    assert before is not None
    client("FCALL", "f2", 0)
    assert incompatible(client) == before
    client("FCALL", "f1", 0)
    assert incompatible(client) == before + 1


@pytest.mark.parametrize(
    ("queued", "count"),
    [
        ([], 0),
        ([["SET", "foo", 1], ["DEL", "bar{foo}"]], 0),
        ([["SET", "foo", 1], ["DEL", "bar"]], 1),
        ([["SET", "foo", 1], ["DEL", "bar"], ["MGET", "a", "b"]], 1),
    ],
)
def test_a_transaction_counts_once(
    client: LocalClient, queued: list[list[str | int]], count: int
) -> None:
    before = incompatible(client)
    assert before is not None
    client.error("EXEC")
    client("MULTI")
    for words in queued:
        client(*words)
    client("EXEC")
    assert incompatible(client) == before + count
    client("SET", "elsewhere", 1)
    assert incompatible(client) == before + count


def test_how_many_are_looked_at(client: LocalClient) -> None:
    def grown(ratio: int) -> int:
        client("CONFIG", "SET", RATIO, ratio)
        client("CONFIG", "RESETSTAT")
        for _ in range(1000):
            client("MSET", "foo", 1, "bar", 2)
        client("CONFIG", "SET", RATIO, 1)
        return incompatible(client) or 0

    assert grown(0) == 0
    assert grown(100) == 1000
    assert 200 < grown(30) < 400
    client("CONFIG", "SET", RATIO, 0)
    assert incompatible(client) is None
    assert "argument must be between 0 and 100" in client.error("CONFIG", "SET", RATIO, 101)


def test_from_the_start_and_not_in_a_cluster() -> None:
    config = Config()
    config.load_text(f"{RATIO} 100")
    client = LocalClient(Engine(config))
    client("MSET", "foo", 1, "bar", 2)
    assert incompatible(client) == 1
    config = Config()
    config.load_text(f"{RATIO} 100\ncluster-enabled yes")
    assert incompatible(LocalClient(Engine(config))) is None
