"""Tasks of moving slots: what is refused, shown, cancelled and cleaned up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from cluster.moving_nodes import (
    TAGS,
    MovingNode,
    Start,
    await_moved,
    await_ok,
    await_that,
    join,
    move,
)

FIELDS = [
    b"id", b"slots", b"source", b"dest", b"operation", b"state", b"last_error", b"retries",
    b"create_time", b"start_time", b"end_time", b"write_pause_ms",
]  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MovingNode, MovingNode]]:
    """Two primaries."""
    path = tmp_path_factory.mktemp("pair")
    nodes = MovingNode(path / "here"), MovingNode(path / "there")
    join(*nodes)
    yield nodes
    for node in nodes:
        node.stop()


def refused(node: MovingNode, *words: object) -> str:
    """The error that a call of CLUSTER MIGRATION comes to."""
    with pytest.raises(redis.ResponseError) as raised:
        node("CLUSTER", "MIGRATION", *words)
    return str(raised.value)


def slowly(source: MovingNode, dest: MovingNode, *slots: int) -> str:
    """Begin to move slots whose keys take a second each; returns the ID of the task."""
    source("CONFIG", "SET", "rdb-key-save-delay", 1_000_000)
    id = dest("CLUSTER", "MIGRATION", "IMPORT", *(slots or (0, 100))).decode()
    await_that(
        lambda: (
            source.state(id) == "send-bulk-and-stream" and dest.state(id) == "accumulate-buffer"
        ),
        f"it has begun {dest.task(id)} {source.task(id)}",
    )
    source("CONFIG", "SET", "rdb-key-save-delay", 0)
    return str(id)


ARITY = "wrong number of arguments for 'cluster|migration' command"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["IMPORT"], ARITY),
        (["IMPORT", 100], ARITY),
        (["IMPORT", 100, 200, 300], ARITY),
        (["UNKNOWN", 1, 2], "unknown argument"),
        (["IMPORT", 9000, 8900], "start slot number 9000 is greater than end slot number 8900"),
        (["IMPORT", 17000, 18000], "Invalid or out of range slot"),
        (["IMPORT", "sd", "sd"], "Invalid or out of range slot"),
        (["IMPORT", 100, 200], "this node is already the owner of the slot range"),
        (["IMPORT", 8000, 9000], "slots belong to different source nodes"),
        (["IMPORT", 9000, 9100, 9100, 9200], "Slot 9100 specified multiple times"),
        (["CANCEL", "ID"], ARITY),
        (["CANCEL", "ID", "12345", "EXTRA"], ARITY),
        (["CANCEL", "ALL", "EXTRA"], ARITY),
        (["CANCEL", "ANY"], "unknown argument"),
        (["CANCEL", "abc", "def"], "unknown argument"),
        (["STATUS", "ID"], ARITY),
        (["STATUS", "ALL", "EXTRA"], ARITY),
        (["STATUS", "ABC"], "unknown argument"),
    ],
)
def test_words_that_make_no_sense(
    pair: tuple[MovingNode, MovingNode], words: list[object], error: str
) -> None:
    assert refused(pair[0], *words) == error


def test_tasks_that_are_not_there(pair: tuple[MovingNode, MovingNode]) -> None:
    here, _ = pair
    assert here("CLUSTER", "MIGRATION", "CANCEL", "ID", "") == 0
    assert here("CLUSTER", "MIGRATION", "STATUS", "ID", "") == []


def test_slots_without_an_owner_or_on_their_way(pair: tuple[MovingNode, MovingNode]) -> None:
    here, there = pair
    here("CLUSTER", "SETSLOT", 15000, "IMPORTING", there.id)
    unstable = "all slot states must be STABLE to start a slot migration task."
    assert refused(here, "IMPORT", 9000, 9001) == unstable
    here("CLUSTER", "SETSLOT", 15000, "STABLE")
    here("CLUSTER", "DELSLOTS", 5000)
    assert refused(here, "IMPORT", 5000, 5000) == "slot has no owner: 5000"
    here("CLUSTER", "ADDSLOTS", 5000)
    await_ok(*pair)


def test_what_is_shown_of_a_task(pair: tuple[MovingNode, MovingNode]) -> None:
    here, there = pair
    id = move(there, here, 12002, 12003, 12000, 12001, 12010, 12010)
    for node, operation in ((here, b"import"), (there, b"migrate")):
        shown = node("CLUSTER", "MIGRATION", "STATUS", "ALL")[0]
        assert shown[::2] == FIELDS
        task = dict(zip(shown[::2], shown[1::2], strict=True))
        assert task[b"id"] == id.encode()
        assert task[b"slots"] == b"12000-12003 12010-12010"
        assert (task[b"source"], task[b"dest"]) == (there.id.encode(), here.id.encode())
        assert (task[b"operation"], task[b"state"]) == (operation, b"completed")
        assert (task[b"last_error"], task[b"retries"]) == (b"", 0)
        assert 0 < task[b"create_time"] <= task[b"start_time"] <= task[b"end_time"]
        assert task[b"write_pause_ms"] >= 0
    move(here, there, 12000, 12003, 12010, 12010)


def test_a_task_that_is_under_way(pair: tuple[MovingNode, MovingNode]) -> None:
    here, there = pair
    tag = TAGS[0]
    for number in range(8):
        here("SET", f"{tag}k{number}", number)
    id = slowly(here, there)
    for node in pair:
        with pytest.raises(redis.ResponseError) as raised:
            node("CLUSTER", "SETSLOT", 0, "STABLE")
        assert "in an active atomic slot migration" in str(raised.value)
    overlap = refused(there, "IMPORT", 90, 120)
    assert overlap == "overlapping import exists for slot range: 90-120"
    # What has come is not to be seen.
    await_that(lambda: b"keys=" in there("INFO", "keyspace"), "a key has come")
    assert there("DBSIZE") == 0
    assert there("KEYS", "*") == []
    assert there("SCAN", 0)[1] == []
    assert there("RANDOMKEY") is None
    assert there("CLUSTER", "COUNTKEYSINSLOT", 0) == 0
    assert there("CLUSTER", "GETKEYSINSLOT", 0, 10) == []
    assert there("CLUSTER", "MIGRATION", "CANCEL", "ID", id) == 1
    assert there.state(id) == "canceled"
    assert there.task(id)["last_error"] == (
        "Cancelled due to user request (state: accumulate-buffer, rdb_channel_state: none)"
    )
    await_that(lambda: here.state(id) == "failed", "the other side has heard")
    await_that(lambda: b"keys=" not in there("INFO", "keyspace"), "they are deleted")
    assert not (there.directory / "nodes.conf.moving").exists()
    assert here("DBSIZE") == 8
    here("FLUSHALL")


@pytest.mark.parametrize("verb", ["FLUSHALL", "FLUSHDB"])
def test_deleting_all_keys_cancels(pair: tuple[MovingNode, MovingNode], verb: str) -> None:
    here, there = pair
    for number in range(6):
        here("SET", f"{TAGS[0]}k{number}", number)
    id = slowly(here, there)
    there(verb)
    await_that(lambda: there.state(id) == "canceled", "it is cancelled")
    await_that(lambda: here.state(id) == "failed", "the other side has heard")
    assert here("DBSIZE") == 6
    here("FLUSHALL")


def test_a_pause_cancels_and_holds_back(pair: tuple[MovingNode, MovingNode]) -> None:
    here, there = pair
    for number in range(3):
        here("SET", f"{TAGS[0]}k{number}", number)
    id = slowly(here, there)
    there("CLIENT", "PAUSE", 100_000, "WRITE")
    await_that(lambda: there.state(id) == "canceled", "it is cancelled")
    assert there.task(id)["last_error"].startswith("Cancelled due to client pause (state: ")
    await_that(lambda: here.state(id) == "failed", "the other side has heard")
    again = there("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    assert there.state(again) == "none"
    there("CLIENT", "UNPAUSE")
    await_moved(here, there, again)
    assert there("DBSIZE") == 3
    move(there, here, 0, 100)
    here("FLUSHALL")


def test_keys_that_expire_meanwhile_live_as_long_as_the_owner_says(
    pair: tuple[MovingNode, MovingNode],
) -> None:
    here, there = pair
    keys = [f"{TAGS[0]}k{number}" for number in range(3)]
    for key in keys:
        here("SET", key, "v", "PX", 700)
    here("SET", f"{TAGS[1]}brief", "v", "PX", 700)
    id = slowly(here, there)
    for key in keys:
        here("PEXPIRE", key, 100_000)
    await_moved(here, there, id)
    for key in keys:
        assert there("PTTL", key) > 80_000
    assert there("GET", f"{TAGS[1]}brief") is None
    move(there, here, 0, 100)
    here("FLUSHALL")


def test_a_client_that_waits_is_sent_to_the_new_owner(
    pair: tuple[MovingNode, MovingNode],
) -> None:
    here, there = pair
    waiting = here.connection()
    connection = waiting.connection_pool.get_connection()
    connection.send_command("BLPOP", f"{TAGS[0]}queue", 0)
    await_that(lambda: b"cmd=blpop" in here("CLIENT", "LIST"), "it waits")
    move(here, there, 0, 100)
    with pytest.raises(redis.exceptions.MovedError) as raised:
        connection.read_response()
    assert str(raised.value) == f"0 127.0.0.1:{there.port}"
    connection.disconnect()
    move(there, here, 0, 100)


def test_functions_come_along(pair: tuple[MovingNode, MovingNode]) -> None:
    here, there = pair
    code = "#!lua name=moved\nredis.register_function('hello', function() return 'hi' end)"
    here("FUNCTION", "LOAD", code)
    move(here, there, 0, 100)
    assert there("FUNCTION", "DUMP") == here("FUNCTION", "DUMP")
    move(there, here, 0, 100)
    for node in pair:
        node("FUNCTION", "FLUSH")


def test_strangers_get_nothing(pair: tuple[MovingNode, MovingNode]) -> None:
    here, _ = pair
    with pytest.raises(redis.ResponseError, match="has not introduced itself"):
        here("CLUSTER", "SYNCSLOTS", "SYNC", "a" * 40, 0, 100)
    with pytest.raises(redis.ResponseError, match="not a member"):
        here("CLUSTER", "SYNCSLOTS", "CONF", "NODE-ID", "f" * 40)


def test_replicas_have_what_their_primaries_have(node: Start) -> None:
    # With a third one, there is a majority without the source.
    source, dest, third = node(), node(), node()
    join(source, dest, third)
    replicas = []
    for primary in (source, dest):
        replica = node()
        replica("CLUSTER", "MEET", "127.0.0.1", primary.port)
        await_that(lambda r=replica, p=primary: p.id in r("CLUSTER", "NODES").decode(), "met")
        await_that(lambda r=replica, p=primary: follows(r, p), "it follows")
        replicas.append(replica)
    await_ok(source, dest, *replicas)
    for number in range(3):
        source("SET", f"{TAGS[0]}k{number}", number)
    assert "not allowed on replica" in refused(replicas[1], "IMPORT", 0, 100)
    id = slowly(source, dest)
    await_that(lambda: b"keys=" in replicas[1]("INFO", "keyspace"), "a key has come")
    assert replicas[1]("DBSIZE") == 0
    assert replicas[1]("KEYS", "*") == []
    await_moved(source, dest, id)
    await_that(lambda: replicas[1]("DBSIZE") == 3, "the keys are at the new owner's replica")
    await_that(lambda: replicas[0]("DBSIZE") == 0, "and not at the old owner's")
    assert not (replicas[1].directory / "nodes.conf.moving").exists()
    # A replica in whose primary's place a migration ends knows which keys do not count.
    id = slowly(dest, source)
    await_that(lambda: b"keys=" in replicas[0]("INFO", "keyspace"), "a key has come")
    source.kill()
    await_that(lambda: replicas[0]("ROLE")[0] == b"master", "it is promoted")
    await_that(lambda: b"keys=" not in replicas[0]("INFO", "keyspace"), "they are deleted")
    assert dest("DBSIZE") == 3
    assert [dest("GET", f"{TAGS[0]}k{number}") for number in range(3)] == [b"0", b"1", b"2"]


def follows(replica: MovingNode, primary: MovingNode) -> bool:
    """Whether a node has become a replica."""
    try:
        replica("CLUSTER", "REPLICATE", primary.id)
    except redis.ResponseError:
        return False
    return True


def test_nodes_log_in_with_each_other(node: Start) -> None:
    lines = ("masterauth secret", "masteruser mover", "user mover on >secret +@all ~* &*")
    source, dest = node(*lines), node(*lines)
    join(source, dest)
    source("SET", f"{TAGS[0]}k", "v")
    source("CONFIG", "SET", "requirepass", "other")
    dest("CONFIG", "SET", "masterauth", "wrong")
    id = dest("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    await_that(lambda: "state: auth-reply" in dest.task(id)["last_error"], "it is not let in")
    dest("CONFIG", "SET", "masterauth", "secret")
    await_that(lambda: dest.state(id) == "completed", "it is")
    assert dest.task(id)["retries"] > 0
    assert dest("GET", f"{TAGS[0]}k") == b"v"


@pytest.mark.parametrize("log", ["yes", "no"])
def test_who_begins_again_has_no_keys_of_others(node: Start, log: str) -> None:
    source, dest = node(), node(f"appendonly {log}")
    join(source, dest)
    for number in range(3):
        source("SET", f"{TAGS[0]}k{number}", number)
    slowly(source, dest)
    await_that(lambda: b"keys=" in dest("INFO", "keyspace"), "a key has come")
    dest("SAVE")
    dest.kill()
    assert (dest.directory / "nodes.conf.moving").exists()
    dest.start()
    assert b"keys=" not in dest("INFO", "keyspace")
    assert "importing" not in dest("CLUSTER", "NODES").decode()
    assert b"[0-<-" not in dest("CLUSTER", "NODES")
    if log == "no":
        # The snapshot still has them.
        dest.kill()
        dest.start()
        assert b"keys=" not in dest("INFO", "keyspace")
        dest("BGSAVE")
    await_that(lambda: not (dest.directory / "nodes.conf.moving").exists(), "no note is left")
    await_ok(source, dest)
    move(source, dest, 0, 100)
    assert dest("DBSIZE") == 3
