"""What moves leave behind: keys that go silently, whoever has them, and tasks that have failed."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

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

TAG = TAGS[0]


def replica_of(primary: MovingNode, node: Start, *lines: str) -> MovingNode:
    """A node that follows another, and has its data."""
    replica = node(*lines)
    replica("CLUSTER", "MEET", "127.0.0.1", primary.port)
    await_that(lambda: primary.id in replica("CLUSTER", "NODES").decode(), "they have met")

    def follows() -> bool:
        try:
            replica("CLUSTER", "REPLICATE", primary.id)
        except redis.ResponseError:
            return False
        return True

    await_that(follows, "it follows")
    await_that(lambda: _linked(replica), "it has the data")
    return replica


def _linked(replica: MovingNode) -> bool:
    return b"master_link_status:up" in replica("INFO", "replication")


def refused(node: MovingNode, *words: object) -> str:
    """The error that a command comes to."""
    with pytest.raises(redis.ResponseError) as raised:
        node(*words)
    return str(raised.value)


def begin_slowly(source: MovingNode, dest: MovingNode) -> str:
    """Begin to move slots whose keys take a second each; returns the ID of the task."""
    source("CONFIG", "SET", "rdb-key-save-delay", 1_000_000)
    id = dest("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    await_that(
        lambda: (
            source.state(id) == "send-bulk-and-stream" and dest.state(id) == "accumulate-buffer"
        ),
        f"it has begun {dest.task(id)} {source.task(id)}",
    )
    source("CONFIG", "SET", "rdb-key-save-delay", 0)
    return str(id)


def keys(node: MovingNode) -> int:
    """How many keys a node has, those included that are not to be seen."""
    line = node("INFO", "keyspace").decode().partition("keys=")[2]
    return int(line.partition(",")[0] or 0)


class Listener:
    """Hears of all that happens to keys."""

    def __init__(self, node: MovingNode):
        node("CONFIG", "SET", "notify-keyspace-events", "KEA")
        self._pubsub = node.connection().pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.psubscribe("__keyevent@0__:*")
        self._pubsub.get_message(timeout=1)

    def heard(self) -> list[tuple[Any, Any]]:
        """What has come."""
        found = []
        while message := self._pubsub.get_message(timeout=0.3):
            found.append((message["channel"].partition(b":")[2], message["data"]))
        return sorted(found)


def test_keys_that_live_on_elsewhere_go_silently(node: Start) -> None:
    source, dest = node(), node()
    join(source, dest)
    replica = replica_of(source, node)
    await_ok(source, dest, replica)
    source("MSET", f"{TAG}a", "v", f"{TAG}b", "v")
    listeners = Listener(source), Listener(replica)
    caching = socket.create_connection(("127.0.0.1", source.port))
    caching.settimeout(10)
    caching.sendall(b"HELLO 3\r\nCLIENT TRACKING ON\r\nGET %sa\r\n" % TAG.encode())
    said = b""
    while not said.endswith(b"$1\r\nv\r\n"):
        said += caching.recv(4096)
    watching = source.connection().pipeline()
    watching.watch(f"{TAG}b")
    move(source, dest, 0, 100)
    await_that(lambda: keys(replica) == 0, "they have gone at the replica")
    assert [listener.heard() for listener in listeners] == [[], []]
    assert caching.recv(4096) == b">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\n%sa\r\n" % TAG.encode()
    watching.multi()
    watching.ping()
    with pytest.raises(redis.WatchError):
        watching.execute()
    caching.close()
    # The same where an attempt has failed; others than those that move are told of.
    heard = Listener(dest)
    id = begin_slowly(dest, source)
    await_that(lambda: keys(source) > 0, "a key has come")
    source("CLUSTER", "MIGRATION", "CANCEL", "ID", id)
    await_that(lambda: keys(source) == 0 and keys(replica) == 0, "it has gone")
    assert {event for event, _ in listeners[0].heard() + listeners[1].heard()} == {b"set"}
    dest("DEL", f"{TAG}a")
    assert heard.heard() == [(b"del", f"{TAG}a".encode())]


def test_trimming_by_hand(node: Start) -> None:
    here, there = node(), node()
    join(here, there)
    served = "the slot 100 is served by this node"
    assert refused(here, "TRIMSLOTS", "RANGES", 2, 9000, 9001, 100, 101) == served
    assert refused(here, "TRIMSLOTS", "SLOTS", 1, 9000, 9001) == "missing ranges argument"
    assert refused(here, "TRIMSLOTS", "RANGES", 2, 9000, 9001) == "invalid number of ranges"
    assert refused(here, "TRIMSLOTS", "RANGES", 1, 9001, 9000) == (
        "start slot number 9001 is greater than end slot number 9000"
    )
    assert here("TRIMSLOTS", "RANGES", 1, 9000, 9001) == b"OK"


def test_who_takes_the_place_of_a_node_deletes_what_that_has_left(node: Start) -> None:
    source, dest, third = node(), node(), node()
    join(source, dest, third)
    replica = replica_of(source, node)
    await_ok(source, dest, third, replica)
    for number in range(3):
        source("SET", f"{TAG}k{number}", number)
    await_that(lambda: replica("DBSIZE") == 3, "the replica has them")
    # Nothing is deleted while writes wait.
    source("CLIENT", "PAUSE", 100_000, "WRITE")
    id = dest("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    await_that(lambda: source.state(id) == "completed", "the slots have gone")
    assert source.info()["cluster_slot_migration_active_trim_running"] == "1"
    await_that(lambda: replica("DBSIZE") == 0, "they are not to be seen at the replica, either")
    assert (keys(source), keys(replica)) == (3, 3)
    # Else nobody votes for it, and it asks but once.
    await_that(lambda: " 0-100" in _shown(replica, dest), "the replica knows who has the slots")
    for voter in (dest, third):
        await_that(lambda voter=voter: "slave" in _shown(voter, replica), "voters know the replica")
    replica("CLUSTER", "FAILOVER", "FORCE")
    await_that(lambda: replica("ROLE")[0] == b"master", "it is promoted")
    await_that(lambda: keys(replica) == 0, f"they are deleted\n{replica.output[-2000:]}")
    await_that(
        lambda: source.info()["cluster_slot_migration_stats_active_trim_cancelled"] == "1",
        "the former primary has left it at that",
    )
    assert keys(source) == 3
    source("CLIENT", "UNPAUSE")
    await_that(lambda: keys(source) == 0, "it follows")
    assert source.info()["cluster_slot_migration_stats_active_trim_completed"] == "0"
    assert "Detected keys in slots that do not belong to this node" in replica.output
    assert [dest("GET", f"{TAG}k{number}") for number in range(3)] == [b"0", b"1", b"2"]
    for each in (source, replica):
        await_that(lambda each=each: _notes(each) <= {"past"}, "no note is left but of snapshots")


def _shown(by: MovingNode, node: MovingNode) -> str:
    """The line of CLUSTER NODES in which a node tells of another one."""
    id = node("CLUSTER", "MYID")
    lines = by("CLUSTER", "NODES").splitlines()
    return next((line.decode() for line in lines if line.startswith(id)), "")


def _notes(node: MovingNode) -> set[str]:
    """What kinds of keys a node has noted that do not count."""
    file = node.directory / "nodes.conf.moving"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.partition(":")[0] for line in lines}


def test_a_replica_that_has_missed_the_end_shows_what_there_is(node: Start) -> None:
    source, dest = node(), node("repl-backlog-size 16kb")
    join(source, dest)
    replica = replica_of(dest, node)
    await_ok(source, dest, replica)
    for number in range(3):
        source("SET", f"{TAG}k{number}", number)
    id = begin_slowly(source, dest)
    await_that(lambda: keys(replica) > 0, "a key has come")
    assert replica("DBSIZE") == 0
    os.kill(replica.process.pid, signal.SIGSTOP)
    dest("CLIENT", "KILL", "TYPE", "replica")
    await_moved(source, dest, id)
    for _ in range(40):
        dest("SET", f"{TAG}k0", "0" * 1000)
    os.kill(replica.process.pid, signal.SIGCONT)
    await_that(lambda: replica("DBSIZE") == 3, "it shows all of them")
    assert b"sync_full:2" in dest("INFO", "stats")


def test_what_has_failed_at_giving_slots_away(node: Start) -> None:
    source, dest = node(), node()
    join(source, dest)
    for number in range(3):
        source("SET", f"{TAG}k{number}", number)
    id = begin_slowly(source, dest)
    dest("CLIENT", "KILL", "TYPE", "master")
    await_that(lambda: source.state(id) == "failed", "it has failed")
    assert source.task(id)["end_time"] == -1
    assert source.info()["cluster_slot_migration_active_tasks"] == "0"
    await_moved(source, dest, id)
    for each in (source, dest):
        task = each.task(id)
        assert (task["retries"], task["last_error"]) == (1, "")
        assert task["create_time"] <= task["start_time"] <= task["end_time"]
    assert dest.task(id)["write_pause_ms"] == 0
    id = begin_slowly(dest, source)
    source("CLUSTER", "MIGRATION", "CANCEL", "ID", id)
    await_that(lambda: dest.state(id) == "failed", "it has failed")
    assert dest("CLUSTER", "MIGRATION", "CANCEL", "ID", id) == 1
    assert dest("CLUSTER", "MIGRATION", "CANCEL", "ID", id) == 0
    error = "Cancelled due to user request (state: failed, rdb_channel_state: none)"
    assert (dest.state(id), dest.task(id)["last_error"]) == ("canceled", error)
    # What is given up for another move says so.
    id = begin_slowly(dest, source)
    source("CLUSTER", "MIGRATION", "CANCEL", "ALL")
    await_that(lambda: dest.state(id) == "failed", "it has failed")
    await_that(lambda: keys(source) == 0, "what has come is deleted")
    move(dest, source, 9000, 9100)
    assert dest.task(id)["last_error"].startswith("Cancelled due to new migration requested (")


def test_cancelling_within_a_transaction(node: Start) -> None:
    source, dest = node(), node("appendonly yes")
    join(source, dest)
    for number in range(3):
        source("SET", f"{TAG}k{number}", number)
    id = begin_slowly(source, dest)
    await_that(lambda: keys(dest) > 0, "a key has come")
    transaction = dest.connection().pipeline(transaction=True)
    for words in (
        ["SET", "foo", 1],
        ["CLUSTER", "MIGRATION", "CANCEL", "ID", id],
        ["SET", "{foo}2", 2],
    ):
        transaction.execute_command(*words)  # type: ignore[no-untyped-call]
    assert transaction.execute()[1] == 1
    await_that(lambda: keys(dest) == 2, "what has come is deleted")
    log = b"".join(path.read_bytes() for path in dest.directory.glob("appendonlydir/*.aof"))
    inside = log.partition(b"MULTI\r\n")[2].partition(b"EXEC\r\n")[0]
    assert inside.count(b"SET\r\n") == 2 and b"SYNCSLOTS" not in inside
    dest.kill()
    dest.start()
    assert keys(dest) == 2


def test_who_is_forgotten_gets_nothing(node: Start) -> None:
    source, dest = node(), node()
    join(source)
    dest("CLUSTER", "MEET", "127.0.0.1", source.port)
    await_ok(source, dest)
    for number in range(6):
        source("SET", f"{TAG}k{number}", number)
    await_that(lambda: dest.id in source("CLUSTER", "NODES").decode(), "they have met")
    id = begin_slowly(source, dest)
    assert refused(source, "CLUSTER", "MIGRATION", "IMPORT", 5, 5) == (
        "this node is already the owner of the slot range"
    )
    source("CLUSTER", "FORGET", dest.id)
    await_that(lambda: source.state(id) == "canceled", "it is cancelled")
    assert source.task(id)["last_error"].startswith("Cancelled due to node deleted (state: ")
    await_that(lambda: dest.state(id) == "failed", "the other side has heard")
    assert source("DBSIZE") == 6


def test_an_import_waits_for_what_is_being_deleted(node: Start) -> None:
    source, dest = node(), node()
    join(source, dest)
    source("SET", f"{TAG}k", "v")
    source("CLIENT", "PAUSE", 100_000, "WRITE")
    id = dest("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    await_that(lambda: source.state(id) == "completed", "the slots have gone")
    back = source("CLUSTER", "MIGRATION", "IMPORT", 0, 100).decode()
    line = f"Can not start import task {back} for slots: 0-100 due to trim in progress for some of "
    await_that(lambda: line in source.output, "it says so")
    assert refused(source, "CLUSTER", "SETSLOT", 0, "STABLE") == (
        "Slot 0 is currently in an active atomic slot migration. CLUSTER SETSLOT cannot be used at "
        "this time. To perform a legacy slot migration instead, first cancel the ongoing task with "
        "CLUSTER MIGRATION CANCEL."
    )
    source("CLIENT", "UNPAUSE")
    await_moved(dest, source, back)
    assert source("GET", f"{TAG}k") == b"v"
    assert source.output.count(line) == 1


def test_what_a_move_costs_is_nobodys(node: Start) -> None:
    source, dest = node("cluster-slot-stats-enabled yes"), node("cluster-slot-stats-enabled yes")
    join(source, dest)
    replica = replica_of(dest, node, "cluster-slot-stats-enabled yes")
    await_ok(source, dest, replica)
    source("SET", f"{TAG}k", "v")
    id = begin_slowly(source, dest)
    source("SET", f"{TAG}k", "w")
    await_moved(source, dest, id)
    await_that(lambda: replica("DBSIZE") == 1, "the replica has it")
    for each in (dest, replica):
        await_that(lambda each=each: _costs(each), "the slot is its own")
        assert _costs(each) == {b"cpu-usec": 0, b"network-bytes-in": 0, b"network-bytes-out": 0}
    # *3 $3 SET $6 {06S}k $1 v
    size = 32
    dest("SET", f"{TAG}k", "v")
    found = _costs(dest)
    assert (found[b"network-bytes-in"], found[b"network-bytes-out"]) == (size, 5 + size)
    await_that(lambda: _costs(replica)[b"network-bytes-in"] == size, "the replica counts it, too")
    assert _costs(replica)[b"network-bytes-out"] == 0


def _costs(node: MovingNode) -> dict[bytes, int]:
    """What the first slot has cost; nothing where it is another node's."""
    for _, found in node("CLUSTER", "SLOT-STATS", "SLOTSRANGE", 0, 0):
        told = dict(zip(found[::2], found[1::2], strict=True))
        return {name: told[name] for name in told if name not in (b"key-count", b"memory-bytes")}
    return {}
