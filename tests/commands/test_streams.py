"""The stream commands: what they reply, report and propagate, above all where Redis changed."""

from __future__ import annotations

from typing import Any

import pytest

import carnelian.commands.connections.client_commands
import carnelian.commands.streams  # noqa: F401
from carnelian.engine.engine import Engine
from carnelian.engine.ground.flags import FLAG_PRIMARY
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NULL_ARRAY
from support.local import LocalClient, Recorder

Fields = dict[bytes, Any]


def fields(flat: list) -> Fields:
    """A map that is given as a list."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    return Recorder(engine)


@pytest.fixture
def events(engine: Engine, client: LocalClient) -> LocalClient:
    """A client that gets all events, those of new keys included."""
    client("CONFIG", "SET", "notify-keyspace-events", "EAn")
    listener = LocalClient(engine)
    listener("PSUBSCRIBE", "__keyevent*")
    listener.messages()
    return listener


def names(events: LocalClient) -> list[bytes]:
    """The events since the last look."""
    return [
        message.items[2].text.partition(b":")[2] + b" " + message.items[3].text
        for message in events.messages()
    ]


def filled(client: LocalClient, key: str = "s", count: int = 3) -> None:
    """Entries 1-0, 2-0, ..."""
    for i in range(1, count + 1):
        client("XADD", key, f"{i}-0", "f", i)


# -- Entries -------------------------------------------------------------------------------------


def test_ids_follow_the_clock(client: LocalClient, clock: ManualClock) -> None:
    now = clock.wall_ms()
    assert client("XADD", "s", "*", "f", "v") == b"%d-0" % now
    assert client("XADD", "s", "*", "f", "v") == b"%d-1" % now
    clock.advance(-5)
    assert client("XADD", "s", "*", "f", "v") == b"%d-2" % now
    clock.advance(15)
    assert client("XADD", "s", f"{now + 10}-*", "f", "v") == b"%d-0" % (now + 10)
    assert client("XADD", "s", f"{now + 10}-*", "f", "v") == b"%d-1" % (now + 10)
    assert client("XADD", "t", "0-*", "f", "v") == b"0-1"


def test_the_highest_id_ends_a_stream(client: LocalClient) -> None:
    most = 2**64 - 1
    client("XADD", "s", f"5-{most}", "f", "v")
    assert client.error("XADD", "s", "5-*", "f", "v").startswith("ERR The ID specified in XADD is")
    assert client("XADD", "s", f"{most}-{most}", "f", "v") == b"%d-%d" % (most, most)
    assert client.error("XADD", "s", "*", "f", "v") == (
        "ERR The stream has exhausted the last possible ID, unable to add more items"
    )


def test_events_and_changes(client: LocalClient, engine: Engine, events: LocalClient) -> None:
    before = engine.keyspace.dirty
    client("XADD", "s", "1-1", "f", "v")
    client("XADD", "s", "MAXLEN", 1, "2-1", "f", "v")
    assert names(events) == [b"new s", b"xadd s", b"xadd s", b"xtrim s"]
    assert engine.keyspace.dirty == before + 2
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    client("XGROUP", "DELCONSUMER", "s", "g", "c")
    client("XGROUP", "SETID", "s", "g", 0)
    client("XGROUP", "DESTROY", "s", "g")
    client("XSETID", "s", "9-9")
    client("XDEL", "s", "2-1")
    assert names(events) == [
        b"xgroup-create s", b"xgroup-createconsumer s", b"xgroup-delconsumer s",
        b"xgroup-setid s", b"xgroup-destroy s", b"xsetid s", b"xdel s",
    ]  # fmt: skip
    assert engine.keyspace.dirty == before + 10


def test_an_empty_stream_stays(client: LocalClient) -> None:
    filled(client)
    assert client("XTRIM", "s", "MAXLEN", 0) == 3
    assert client("EXISTS", "s") == 1
    assert client("XADD", "s", "3-0", "f", "v").code == "ERR"


@pytest.mark.parametrize("policy", ["KEEPREF", "DELREF", "ACKED"])
def test_what_becomes_of_those_trimmed_away_that_are_pending(
    client: LocalClient, policy: str
) -> None:
    filled(client, count=4)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XGROUP", "CREATE", "s", "h", 0)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 3, "STREAMS", "s", ">")
    client("XREADGROUP", "GROUP", "h", "c", "COUNT", 3, "STREAMS", "s", ">")
    client("XACK", "s", "g", "2-0")
    client("XACK", "s", "h", "2-0")
    removed = client("XTRIM", "s", "MAXLEN", 0, policy)
    left = [id for id, _ in client("XRANGE", "s", "-", "+")]
    pending = client("XPENDING", "s", "g")[0]
    assert (removed, left, pending) == {
        "KEEPREF": (4, [], 2),
        "DELREF": (4, [], 0),
        "ACKED": (1, [b"1-0", b"3-0", b"4-0"], 2),
    }[policy]


def test_xadd_trims_by_a_policy(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XADD", "s", "ACKED", "MAXLEN", 1, "4-0", "f", "v")
    assert client("XLEN", "s") == 4
    client("XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", "s", ">")
    client("XADD", "s", "acked", "maxlen", 1, "5-0", "f", "v")
    assert client("XLEN", "s") == 1
    invalid = "ERR Invalid stream ID specified as stream command argument"
    assert client.error("XADD", "s", "ACKED", "DELREF", "6-0", "f", "v") == invalid
    assert client.error("XTRIM", "s", "MAXLEN", 1, "ACKED", "DELREF") == "ERR syntax error"


# -- Approximate trimming that looks who refers to entries -----------------------------------------


def ids(client: LocalClient) -> list[bytes]:
    return [id for id, _ in client("XRANGE", "s", "-", "+")]


def replayed(recorder: Recorder, nodes_of: int) -> list[bytes]:
    """What who gets what went out has then, where nodes have this many entries."""
    other = Engine(clock=ManualClock(1_700_000_000_000))
    follower = LocalClient(other)
    follower("CONFIG", "SET", "stream-node-max-entries", nodes_of)
    follower.session.flags |= FLAG_PRIMARY
    for words in recorder.take():
        follower(*words.split())
    return ids(follower)


def acknowledged(client: LocalClient, *done: str, count: int) -> None:
    """Entries in nodes of two, all of them read and these of them acknowledged."""
    client("CONFIG", "SET", "stream-node-max-entries", 2)
    filled(client, count=count)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    client("XACK", "s", "g", *done)


@pytest.mark.parametrize(
    ("words", "removed", "left"),
    [
        ("MINID ~ 6-0 ACKED", 3, "3 5 6 7 8"),
        ("MINID ~ 9-0 ACKED", 4, "3 5 6 8"),
        ("MAXLEN ~ 0 ACKED", 4, "3 5 6 8"),
        ("MAXLEN ~ 6 ACKED", 2, "3 4 5 6 7 8"),
        ("MAXLEN ~ 5 ACKED", 3, "3 5 6 7 8"),
        ("MINID ~ 6-0 DELREF", 5, "6 7 8"),
        ("MAXLEN ~ 3 DELREF", 5, "6 7 8"),
        ("MINID ~ 6-0 LIMIT 2 DELREF", 2, "3 4 5 6 7 8"),
        ("MAXLEN ~ 1 LIMIT 4 DELREF", 4, "5 6 7 8"),
        ("MINID ~ 9-0 LIMIT 3 ACKED", 2, "3 4 5 6 7 8"),
        ("MAXLEN ~ 0 LIMIT 3 ACKED", 2, "3 4 5 6 7 8"),
        ("MINID ~ 6-0 KEEPREF", 4, "5 6 7 8"),
        ("MAXLEN ~ 3", 4, "5 6 7 8"),
    ],
)
@pytest.mark.parametrize("nodes_of", [1, 2, 3, 100])
def test_trimming_goes_into_nodes_where_references_matter(
    client: LocalClient, recorder: Recorder, words: str, removed: int, left: str, nodes_of: int
) -> None:
    acknowledged(client, "1-0", "2-0", "4-0", "7-0", count=8)
    assert client("XTRIM", "s", *words.split()) == removed
    assert ids(client) == [b"%s-0" % id.encode() for id in left.split()]
    assert replayed(recorder, nodes_of) == ids(client)


def test_limits_count_nodes_before_they_are_looked_at(
    client: LocalClient, recorder: Recorder
) -> None:
    acknowledged(client, "1-0", "5-0", count=8)
    recorder.take()
    assert client("XTRIM", "s", "MINID", "~", "9-0", "LIMIT", 2, "ACKED") == 1
    assert recorder.take() == [b"XTRIM s MINID = 3-0 LIMIT 2 ACKED"]
    assert client("XADD", "s", "ACKED", "MAXLEN", "~", 0, "LIMIT", 1, "9-0", "f", "v") == b"9-0"
    assert recorder.take() == [b"XADD s ACKED MINID = 0-0 LIMIT 1 9-0 f v"]
    assert client("XADD", "s", "DELREF", "MINID", "~", "5-0", "10-0", "f", "v") == b"10-0"
    assert recorder.take() == [b"XADD s DELREF MINID = 5-0 10-0 f v"]
    assert ids(client) == [b"5-0", b"6-0", b"7-0", b"8-0", b"9-0", b"10-0"]
    assert fields(client("XINFO", "STREAM", "s"))[b"max-deleted-entry-id"] == b"0-0"


def test_trimming_by_length_ends_with_the_first_node_that_may_stay(client: LocalClient) -> None:
    acknowledged(client, "1-0", "2-0", "7-0", "8-0", count=8)
    assert client("XTRIM", "s", "MAXLEN", 5, "ACKED") == 2
    assert client("XTRIM", "s", "MAXLEN", 4, "ACKED") == 2


def test_a_node_without_entries_goes(client: LocalClient) -> None:
    filled(client, count=2)
    client("XDEL", "s", "2-0")
    assert client("XTRIM", "s", "MINID", "=", "2-0") == 1
    assert fields(client("XINFO", "STREAM", "s"))[b"radix-tree-keys"] == 0


# -- Removing --------------------------------------------------------------------------------------


def test_xdelex(client: LocalClient, recorder: Recorder) -> None:
    filled(client, count=5)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 3, "STREAMS", "s", ">")
    client("XACK", "s", "g", "2-0")
    recorder.take()
    assert client("XDELEX", "s", "ACKED", "IDS", 4, "1-0", "2-0", "5-0", "9-0") == [2, 1, 2, 2]
    assert client("XDELEX", "s", "KEEPREF", "IDS", 1, "1-0") == [1]
    assert client("XPENDING", "s", "g")[0] == 2
    assert client("XDELEX", "s", "IDS", 1, "3-0", "DELREF") == [1]
    assert client("XPENDING", "s", "g")[0] == 1
    assert client("XDELEX", "none", "IDS", 2, 1, 2) == [-1, -1]
    assert recorder.take() == [
        b"XDELEX s ACKED IDS 4 1-0 2-0 5-0 9-0", b"XDELEX s KEEPREF IDS 1 1-0",
        b"XDELEX s IDS 1 3-0 DELREF",
    ]  # fmt: skip


def test_xdelex_drops_what_is_pending_of_an_entry_that_is_gone(
    client: LocalClient, engine: Engine, recorder: Recorder
) -> None:
    filled(client)
    for group in ("g", "h"):
        client("XGROUP", "CREATE", "s", group, 0)
        client("XREADGROUP", "GROUP", group, "c", "STREAMS", "s", ">")
    client("XDEL", "s", "1-0", "2-0")
    recorder.take()
    assert client("XDELEX", "s", "KEEPREF", "IDS", 1, "1-0") == [-1]
    assert client("XDELEX", "s", "ACKED", "IDS", 1, "1-0") == [2]
    assert client("XPENDING", "s", "g")[0] == 3
    assert recorder.take() == []
    before = engine.keyspace.dirty
    assert client("XDELEX", "s", "DELREF", "IDS", 3, "1-0", "2-0", "9-0") == [-1, -1, -1]
    assert engine.keyspace.dirty == before + 2
    assert [client("XPENDING", "s", group)[0] for group in ("g", "h")] == [1, 1]
    assert recorder.take() == [b"XDELEX s DELREF IDS 3 1-0 2-0 9-0"]


def test_no_last_id_is_below_what_was_deleted(client: LocalClient) -> None:
    filled(client)
    client("XDEL", "s", "3-0")
    message = "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
    assert client.error("XSETID", "s", "2-5") == message
    assert client.error("XSETID", "s", "2-5", "ENTRIESADDED", 9) == message
    assert client.error("XSETID", "s", "2-5", "MAXDELETEDID", "2-0") == message
    assert client("XSETID", "s", "3-0", "ENTRIESADDED", 9, "MAXDELETEDID", "2-0") == b"OK"
    assert client("XSETID", "s", "2-5") == b"OK"


def test_xackdel(client: LocalClient, events: LocalClient) -> None:
    filled(client)
    for group in ("g", "h"):
        client("XGROUP", "CREATE", "s", group, 0)
        client("XREADGROUP", "GROUP", group, "c", "STREAMS", "s", ">")
    names(events)
    assert client("XACKDEL", "s", "g", "ACKED", "IDS", 2, "1-0", "9-0") == [2, -1]
    assert names(events) == []
    assert client("XACKDEL", "s", "h", "ACKED", "IDS", 1, "1-0") == [1]
    assert names(events) == [b"xdel s"]
    assert client("XACKDEL", "s", "g", "DELREF", "IDS", 1, "2-0") == [1]
    assert client("XACKDEL", "s", "h", "DELREF", "IDS", 1, "2-0") == [-1]
    assert client("XACKDEL", "s", "g", "IDS", 1, "3-0") == [1]
    assert client("XPENDING", "s", "h") == [1, b"3-0", b"3-0", [[b"c", b"1"]]]
    assert client("XACKDEL", "s", "h", "IDS", 1, "3-0") == [1]
    assert client("XACKDEL", "none", "g", "IDS", 1, "3-0") == [-1]
    assert client("XACKDEL", "s", "none", "IDS", 1, "3-0") == [-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("IDS 0 1", "Number of IDs must be a positive integer"),
        ("IDS x 1", "Number of IDs must be a positive integer"),
        ("IDS 2 1", "The `numids` parameter must match the number of arguments"),
        ("IDS 1 1 2", "syntax error"),
        ("ACKED DELREF IDS 1 1", "syntax error"),
        ("ACKED 1 1 1", "syntax error"),
        ("IDS 1 x", "Invalid stream ID specified as stream command argument"),
    ],
)
def test_malformed_selections(client: LocalClient, words: str, message: str) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    assert client.error("XDELEX", "s", *words.split()) == f"ERR {message}"
    assert client.error("XACKDEL", "s", "g", *words.split()) == f"ERR {message}"


def test_selections_of_what_is_not_there(client: LocalClient) -> None:
    import carnelian.commands.strings  # noqa: F401

    filled(client)
    client("SET", "string", "x")
    assert client("XDELEX", "none", "IDS", 2, "x", "y") == [-1, -1]
    assert client("XACKDEL", "s", "none", "IDS", 1, "x") == [-1]
    assert client("XDELEX", "s", "IDS", 1, "x", "ACKED", "IDS", 2, "1-0", "9-0") == [1, -1]
    for command in (("XDELEX", "string"), ("XACKDEL", "string", "g")):
        assert client.error(*command, "IDS", 0, "x").startswith("WRONGTYPE")


# -- Reading -------------------------------------------------------------------------------------


def test_the_last_entry(client: LocalClient) -> None:
    assert client("XREAD", "STREAMS", "s", "+") is NULL_ARRAY
    filled(client)
    assert client("XREAD", "COUNT", 9, "STREAMS", "s", "+") == [[b"s", [[b"3-0", [b"f", b"3"]]]]]
    client("XDEL", "s", "3-0")
    assert client("XREAD", "STREAMS", "s", "+") == [[b"s", [[b"2-0", [b"f", b"2"]]]]]


def test_resp3_has_streams_in_a_map(engine: Engine) -> None:
    client = LocalClient(engine, protocol=3)
    filled(client, count=1)
    reply = client.call("XREAD", "STREAMS", "s", "none", "0", "0")
    assert reply.kind == b"%"
    assert [part.value for part in reply.items[:1]] == [b"s"]


def test_lists_without_balance(client: LocalClient) -> None:
    assert client.error("XREAD", "STREAMS", "a", "b", "0") == (
        "ERR Unbalanced 'xread' list of streams: "
        "for each stream key an ID, '+', or '$' must be specified."
    )
    assert client.error("XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", "b", "0") == (
        "ERR Unbalanced 'xreadgroup' list of streams: "
        "for each stream key an ID or '>' must be specified."
    )


def test_who_asks_in_vain_is_a_consumer(
    client: LocalClient, clock: ManualClock, recorder: Recorder
) -> None:
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    recorder.take()
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    client("XCLAIM", "s", "g", "d", 0, "1-1")
    client("XAUTOCLAIM", "s", "g", "e", 0, "0")
    clock.advance(10)
    assert recorder.take() == [
        b"XGROUP CREATECONSUMER s g %s" % name for name in (b"c", b"d", b"e")
    ]
    assert [fields(each) for each in client("XINFO", "CONSUMERS", "s", "g")] == [
        {b"name": name, b"pending": 0, b"idle": 10, b"inactive": -1} for name in (b"c", b"d", b"e")
    ]
    client("XADD", "s", "1-1", "f", "v")
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    clock.advance(5)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    clock.advance(2)
    assert fields(client("XINFO", "CONSUMERS", "s", "g")[0]) == {
        b"name": b"c", b"pending": 1, b"idle": 2, b"inactive": 7
    }  # fmt: skip


def test_history_counts_deliveries(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=2)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    clock.advance(30)
    client("XDEL", "s", "1-0")
    assert client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0") == [
        [b"s", [[b"1-0", NULL_ARRAY], [b"2-0", [b"f", b"2"]]]]
    ]
    clock.advance(4)
    assert client("XPENDING", "s", "g", "-", "+", 10) == [
        [b"1-0", b"c", 34, 1], [b"2-0", b"c", 4, 2]
    ]  # fmt: skip
    assert client("XPENDING", "s", "g", "IDLE", 30, "-", "+", 10, "c") == [[b"1-0", b"c", 34, 1]]


def test_reading_what_is_pending_changes_nothing(
    client: LocalClient, engine: Engine, recorder: Recorder
) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    recorder.take()
    before = engine.keyspace.dirty
    assert len(client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0")[0][1]) == 3
    assert engine.keyspace.dirty == before
    assert recorder.take() == []
    client("XREADGROUP", "GROUP", "g", "d", "STREAMS", "s", "0")
    assert engine.keyspace.dirty == before + 1
    assert recorder.take() == [b"XGROUP CREATECONSUMER s g d"]


def test_groups_read_apart(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XGROUP", "CREATE", "s", "h", "$")
    for consumer, id in (("c", b"1-0"), ("d", b"2-0"), ("c", b"3-0")):
        reply = client("XREADGROUP", "GROUP", "g", consumer, "COUNT", 1, "STREAMS", "s", ">")
        assert reply[0][1][0][0] == id
    assert client("XREADGROUP", "GROUP", "h", "c", "STREAMS", "s", ">") is NULL_ARRAY


# -- Claims --------------------------------------------------------------------------------------


def test_claims(client: LocalClient, clock: ManualClock) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    clock.advance(100)
    assert client("XCLAIM", "s", "g", "d", 101, "1-0") == []
    assert client("XCLAIM", "s", "g", "d", 100, "1-0", "JUSTID", "IDLE", 40) == [b"1-0"]
    assert client("XCLAIM", "s", "g", "d", 0, "2-0", "RETRYCOUNT", 9) == [[b"2-0", [b"f", b"2"]]]
    assert client("XPENDING", "s", "g", "-", "+", 9) == [
        [b"1-0", b"d", 40, 1], [b"2-0", b"d", 0, 9], [b"3-0", b"c", 100, 1]
    ]  # fmt: skip
    client("XDEL", "s", "2-0")
    assert client("XAUTOCLAIM", "s", "g", "e", 40, "-", "COUNT", 2) == [
        b"3-0", [[b"1-0", [b"f", b"1"]]], [b"2-0"]
    ]  # fmt: skip
    assert client("XAUTOCLAIM", "s", "g", "e", 0, "(1-0", "JUSTID") == [b"0-0", [b"3-0"], []]
    assert client("XPENDING", "s", "g") == [2, b"1-0", b"3-0", [[b"e", b"2"]]]


# -- What is known of groups ---------------------------------------------------------------------


def read_and_lag(client: LocalClient, group: int = 0) -> tuple[object, object]:
    found = fields(client("XINFO", "GROUPS", "s")[group])
    return found[b"entries-read"], found[b"lag"]


def test_lag_across_a_gap_before_the_group(client: LocalClient) -> None:
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    filled(client, count=5)
    client("XDEL", "s", "1-0", "2-0")
    assert read_and_lag(client) == (None, 3)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">")
    assert read_and_lag(client) == (3, 2)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">")
    assert read_and_lag(client) == (4, 1)


def test_lag_across_a_gap_behind_the_group(client: LocalClient) -> None:
    filled(client, count=5)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">")
    client("XDEL", "s", "3-0")
    assert read_and_lag(client) == (1, None)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert read_and_lag(client) == (5, 0)


def test_nothing_lags_behind_an_empty_stream(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XTRIM", "s", "MAXLEN", 0)
    assert read_and_lag(client) == (None, 0)


def test_no_group_has_read_more_than_there_was(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", "$", "ENTRIESREAD", 99)
    assert read_and_lag(client) == (3, 0)
    client("XGROUP", "SETID", "s", "g", "2-0", "ENTRIESREAD", 2)
    assert read_and_lag(client) == (2, 1)


def test_no_group_has_read_more_than_there_is_said_to_have_been(client: LocalClient) -> None:
    filled(client, count=10)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XGROUP", "CREATE", "s", "h", "1-0", "ENTRIESREAD", 1)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    client("XTRIM", "s", "MAXLEN", 2)
    assert client("XSETID", "s", "10-0", "ENTRIESADDED", 2) == b"OK"
    assert (read_and_lag(client), read_and_lag(client, 1)) == ((2, 0), (1, 2))
    client("XSETID", "s", "10-0", "ENTRIESADDED", 5)
    assert read_and_lag(client) == (2, 3)


def test_reading_on_never_counts_more_than_there_was(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", "1-0", "ENTRIESREAD", 99)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">")
    assert read_and_lag(client) == (3, 0)


def test_all_about_a_stream(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=12)
    now = clock.wall_ms()
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">")
    client("XGROUP", "CREATECONSUMER", "s", "g", "b")
    client("XDEL", "s", "12-0")
    found = fields(client("XINFO", "STREAM", "s", "FULL"))
    assert len(found[b"entries"]) == 10
    (group,) = found.pop(b"groups")
    assert {**found, b"entries": 0, b"radix-tree-nodes": 0} == {
        b"length": 11, b"radix-tree-keys": 1, b"radix-tree-nodes": 0,
        b"last-generated-id": b"12-0", b"max-deleted-entry-id": b"12-0", b"entries-added": 12,
        b"recorded-first-entry-id": b"1-0", b"entries": 0,
        b"idmp-duration": 100, b"idmp-maxsize": 100, b"pids-tracked": 0, b"iids-tracked": 0,
        b"iids-added": 0, b"iids-duplicates": 0,
    }  # fmt: skip
    assert [fields(each) for each in fields(group)[b"consumers"]] == [
        {
            b"name": b"b", b"seen-time": now, b"active-time": -1, b"pel-count": 0, b"pending": [],
        },
        {
            b"name": b"c", b"seen-time": now, b"active-time": now, b"pel-count": 1,
            b"pending": [[b"1-0", now, 1]],
        },
    ]  # fmt: skip
    assert fields(group)[b"pending"] == [[b"1-0", b"c", now, 1]]
    short = fields(client("XINFO", "STREAM", "s"))
    assert short[b"groups"] == 1
    assert short[b"first-entry"] == [b"1-0", [b"f", b"1"]]
    assert short[b"last-entry"] == [b"11-0", [b"f", b"11"]]


def test_watching_is_for_entries(engine: Engine, client: LocalClient) -> None:
    filled(client)
    other = LocalClient(engine)
    for words, broken in (("XGROUP CREATE s g 0", False), ("XDEL s 1-0", True)):
        client("WATCH", "s")
        other(*words.split())
        client("MULTI")
        client("PING")
        assert (client("EXEC") is NULL_ARRAY) == broken


def test_other_commands_know_streams(client: LocalClient) -> None:
    filled(client)
    client("XGROUP", "CREATE", "s", "g", 0)
    client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert client("TYPE", "s") == b"stream"
    assert client("OBJECT", "ENCODING", "s") == b"stream"
    assert client("SCAN", 0, "TYPE", "stream") == [b"0", [b"s"]]
    assert client("MEMORY", "USAGE", "s") > 300
    assert client("COPY", "s", "t") == 1
    client("XACK", "s", "g", "1-0")
    client("XADD", "s", "9-0", "f", "v")
    assert client("XLEN", "t") == 3
    assert client("XPENDING", "t", "g")[0] == 3
    assert client("UNLINK", "s", "t") == 2
