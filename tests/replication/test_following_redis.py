"""A carnelian-server that follows a redis-server: what is there, and what it tells."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import redis

from differential.chance import Chance
from server.peers import Client
from support.servers import ReferenceServer, StartRedis
from support.waiting import wait_for

from .conftest import StartServer
from .cutting_proxy import CuttingProxy
from .mixed_nodes import NAMES

LOADS = ("disabled", "on-empty-db", "swapdb", "flushdb")


@pytest.fixture
def primary(start_redis: StartRedis) -> ReferenceServer:
    """A redis-server that copies its data without delay, straight to sockets."""
    return start_redis(
        "--save", "", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"
    )


def follow(replica: Client, port: int) -> None:
    """Have a server follow another, and wait until it does."""
    assert replica.call("REPLICAOF", "127.0.0.1", port) == b"+OK"
    wait_for(lambda: replica.call("ROLE")[3:4] == [b"connected"])


def in_step(primary: ReferenceServer, replica: Client) -> bool:
    """Whether both have come equally far."""
    mine = replica.call("ROLE")
    theirs = primary.call("ROLE")
    return mine[3] == b"connected" and mine[4] == theirs[1]  # type: ignore[index]


def assert_equal(primary: ReferenceServer, replica: Client) -> None:
    wait_for(lambda: in_step(primary, replica))
    digest: Any = primary.call("DEBUG", "DIGEST")
    assert replica.call("DEBUG", "DIGEST") == b"+" + digest


def populate(primary: ReferenceServer, seed: int, count: int) -> None:
    """Random commands of all types, and some large values."""
    chance = Chance(seed, NAMES)
    for _ in range(count):
        primary.call(*chance.command())
    for number in range(300):
        primary.call("HSET", "big hash", f"f{number}", number)
        primary.call("ZADD", "big zset", number, f"m{number}")
        primary.call("SADD", "big set", f"m{number}")
        primary.call("RPUSH", "big list", number)
        primary.call("XADD", "big stream", f"{number + 1}-1", "f", number)
    primary.call("SET", "long", "x" * 300_000)
    primary.call("SET", "expiring", 1, "PX", 10_000_000)
    primary.call("XGROUP", "CREATE", "big stream", "g", 0)
    primary.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 9, "STREAMS", "big stream", ">")
    primary.call(
        "FUNCTION",
        "LOAD",
        "REPLACE",
        "#!lua name=l\nredis.register_function('f', function() return 1 end)",
    )


@pytest.mark.parametrize("diskless", ["yes", "no"])
@pytest.mark.parametrize("load", LOADS)
def test_all_types_arrive(
    primary: ReferenceServer, start: StartServer, load: str, diskless: str
) -> None:
    primary.call("FLUSHALL")
    primary.call("CONFIG", "SET", "repl-diskless-sync", diskless)
    populate(primary, LOADS.index(load), 2000)
    replica = start("--repl-diskless-load", load).connect()
    follow(replica, primary.port)
    assert_equal(primary, replica)
    assert replica.call("FUNCTION", "LIST")[0][1] == b"l"
    populate(primary, 5, 1000)
    assert_equal(primary, replica)


def test_the_old_data_go(primary: ReferenceServer, start: StartServer) -> None:
    replica = start().connect()
    replica.call("SET", "mine", 1)
    replica.call("SELECT", 9)
    replica.call("SET", "mine", 1)
    follow(replica, primary.port)
    assert replica.call("EXISTS", "mine") == 0
    assert_equal(primary, replica)


def test_roles_and_info(primary: ReferenceServer, start: StartServer) -> None:
    replica = start("--replica-priority", "7").connect()
    follow(replica, primary.port)
    wait_for(lambda: in_step(primary, replica))
    wait_for(lambda: b"master_link_status:up" in replica.call("INFO", "replication"))
    info = replica.call("INFO", "replication").decode()
    for line in (
        "role:slave",
        "master_host:127.0.0.1",
        f"master_port:{primary.port}",
        "master_link_status:up",
        "master_sync_in_progress:0",
        "slave_priority:7",
        "slave_read_only:1",
        "replica_announced:1",
    ):
        assert f"{line}\r\n" in info
    role: Any = replica.call("ROLE")
    assert role[:4] == [b"slave", b"127.0.0.1", primary.port, b"connected"]
    listed = replica.call("CLIENT", "LIST", "TYPE", "master").decode()
    assert f"addr=127.0.0.1:{primary.port} " in listed
    assert " flags=M " in listed
    assert replica.call("CONFIG", "GET", "replicaof")[1] == f"127.0.0.1 {primary.port}".encode()
    # And what the primary was told, which it looks at in its own time.
    wait_for(lambda: b"state=online" in primary.call("INFO", "replication"))  # type: ignore[operator]


def test_clients_may_not_write(primary: ReferenceServer, start: StartServer) -> None:
    replica = start().connect()
    follow(replica, primary.port)
    refusal = b"-READONLY You can't write against a read only replica."
    assert replica.call("SET", "k", 1) == refusal
    assert replica.call("EVAL", "return redis.call('set', KEYS[1], 1)", 1, "k").startswith(
        b"-READONLY You can't write against a read only replica."
    )
    replica.call("MULTI")
    assert replica.call("SET", "k", 1) == refusal
    assert replica.call("EXEC").startswith(b"-EXECABORT")
    assert replica.call("PUBLISH", "c", 1) == 0
    assert replica.call("CONFIG", "SET", "replica-read-only", "no") == b"+OK"
    assert replica.call("SET", "mine", 1) == b"+OK"


def test_a_link_that_is_cut(primary: ReferenceServer, start: StartServer) -> None:
    """Writes go on, while the connection ends at random bytes; most times it is gone on with."""
    primary.call("CONFIG", "SET", "repl-backlog-size", "10mb")
    primary.call("FLUSHALL")
    proxy = CuttingProxy(primary.port, seed=1)
    server = start()
    replica = server.connect()
    follow(replica, proxy.port)
    proxy.cut_every(20_000)
    busy = [True]

    def write() -> None:
        own = redis.Redis(port=primary.port)
        number = 0
        while busy:
            with own.pipeline(transaction=number % 3 == 0) as pipe:
                for _ in range(10):
                    number += 1
                    pipe.incr("counter")
                    pipe.rpush("list", "x" * (number % 500))
                    pipe.hset("hash", f"f{number % 1000}", number)
                pipe.execute()
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    deadline = time.monotonic() + 60
    while proxy.cuts < 50 and time.monotonic() < deadline:
        time.sleep(0.05)
    busy.clear()
    writer.join()
    proxy.cut_every(0)
    assert_equal(primary, replica)
    assert server.log.count("Successful partial resynchronization") >= 25
    proxy.close()


def test_a_snapshot_that_is_cut(primary: ReferenceServer, start: StartServer) -> None:
    primary.call("FLUSHALL")
    primary.call("CONFIG", "SET", "rdbcompression", "no")
    primary.call("DEBUG", "POPULATE", 20_000, "key", 200)
    replica = start().connect()
    for load, diskless in (("disabled", "no"), ("swapdb", "yes"), ("flushdb", "no")):
        primary.call("CONFIG", "SET", "repl-diskless-sync", diskless)
        replica.call("CONFIG", "SET", "repl-diskless-load", load)
        proxy = CuttingProxy(primary.port, seed=2)
        proxy.cut_every(400_000)
        replica.call("REPLICAOF", "127.0.0.1", proxy.port)
        wait_for(lambda proxy=proxy: proxy.cuts >= 2)  # type: ignore[misc]
        proxy.cut_every(0)
        assert_equal(primary, replica)
        proxy.close()
        replica.call("REPLICAOF", "NO", "ONE")
        # Nothing of it may be gone on with.
        replica.call("DEBUG", "CHANGE-REPL-ID")
    primary.call("CONFIG", "SET", "rdbcompression", "yes")


def test_old_data_are_there_while_new_ones_of_the_same_history_are_loaded(
    primary: ReferenceServer, start: StartServer
) -> None:
    primary.call("FLUSHALL")
    primary.call("CONFIG", "SET", "rdbcompression", "no")
    primary.call("CONFIG", "SET", "repl-diskless-sync", "yes")
    replica = start("--repl-diskless-load", "swapdb", "--replica-read-only", "no").connect()
    follow(replica, primary.port)
    primary.call("DEBUG", "POPULATE", 100, "key", 20_000)
    wait_for(lambda: in_step(primary, replica))
    replica.call("SET", "mine", 1)
    assert b"async_loading:0\r\n" in replica.call("INFO", "persistence")
    # More than the backlog is missing then.
    primary.call("CONFIG", "SET", "rdb-key-save-delay", 20_000)
    primary.call("CONFIG", "SET", "repl-backlog-size", 16384)
    primary.call("MULTI")
    primary.call("CLIENT", "KILL", "TYPE", "replica")
    primary.call("SET", "long", "x" * 100_000)
    primary.call("EXEC")
    wait_for(lambda: b"async_loading:1\r\n" in replica.call("INFO", "persistence"))
    info = replica.call("INFO", "persistence")
    assert b"loading:0\r\n" in info
    assert b"loading_start_time:" in info
    assert replica.call("GET", "mine") == b"1"
    loading = b"-LOADING Redis is loading the dataset in memory"
    assert replica.call("REPLICAOF", "NO", "ONE") == loading
    assert replica.call("CONFIG", "SET", "repl-diskless-load", "disabled") == loading
    assert replica.call("CONFIG", "SET", "appendonly", "no") == b"+OK"
    replica.call("MULTI")
    assert replica.call("BGSAVE") == loading
    assert replica.call("EXEC").startswith(b"-EXECABORT")
    wait_for(lambda: b"async_loading:0\r\n" in replica.call("INFO", "persistence"))
    assert_equal(primary, replica)
    assert replica.call("GET", "mine") is None
    primary.call("CONFIG", "SET", "rdb-key-save-delay", 0)
    primary.call("CONFIG", "SET", "rdbcompression", "yes")
    primary.call("CONFIG", "SET", "repl-backlog-size", 1_048_576)


def test_what_comes_is_counted(primary: ReferenceServer, start: StartServer) -> None:
    primary.call("FLUSHALL")
    primary.call("SET", "copied", "x" * 10_000)
    primary.call("CONFIG", "SET", "rdbcompression", "no")
    replica = start().connect()
    follow(replica, primary.port)
    primary.call("CONFIG", "SET", "rdbcompression", "yes")
    primary.call("SET", "streamed", "x" * 10_000)
    wait_for(lambda: in_step(primary, replica))
    stats = dict(
        line.split(b":")
        for line in replica.call("INFO", "stats").split(b"\r\n")
        if line.startswith((b"total_net_input", b"total_net_repl_input"))
    )
    streamed = int(stats[b"total_net_repl_input_bytes"])
    assert 20_000 < streamed < 30_000
    # Redis counts it in both.
    assert int(stats[b"total_net_input_bytes"]) > streamed


def test_keys_expire_at_the_primary_alone(primary: ReferenceServer, start: StartServer) -> None:
    primary.call("FLUSHALL")
    primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    replica = start().connect()
    follow(replica, primary.port)
    primary.call("SET", "k", 1, "PX", 50)
    primary.call("SET", "other", 1)
    wait_for(lambda: replica.call("DBSIZE") == 2)
    wait_for(lambda: replica.call("GET", "k") is None)
    assert replica.call("DBSIZE") == 2
    assert replica.call("TTL", "k") == -2
    assert replica.call("KEYS", "*") == [b"other"]
    assert replica.call("SCAN", 0)[1] == [b"other"]
    assert replica.call("RANDOMKEY") == b"other"
    primary.call("GET", "k")
    wait_for(lambda: replica.call("DBSIZE") == 1)
    primary.call("DEBUG", "SET-ACTIVE-EXPIRE", 1)


def test_a_writable_replica_lets_its_own_keys_go(
    primary: ReferenceServer, start: StartServer
) -> None:
    primary.call("FLUSHALL")
    replica = start("--replica-read-only", "no").connect()
    follow(replica, primary.port)
    primary.call("SET", "theirs", 1)
    assert replica.call("SET", "mine", 1, "PX", 500) == b"+OK"
    replica.call("SET", "for ever", 1)
    assert b"slave_expires_tracked_keys:1\r\n" in replica.call("INFO", "stats")
    replica.call("DEL", "for ever")
    wait_for(lambda: replica.call("EXISTS", "theirs"))
    wait_for(lambda: replica.call("DBSIZE") == 1)
    assert b"slave_expires_tracked_keys:0\r\n" in replica.call("INFO", "stats")
    assert replica.call("EXISTS", "mine") == 0


def test_stale_data(primary: ReferenceServer, start: StartServer) -> None:
    primary.call("SET", "k", 1)
    proxy = CuttingProxy(primary.port)
    replica = start("--replica-serve-stale-data", "no").connect()
    follow(replica, proxy.port)
    wait_for(lambda: replica.call("GET", "k") == b"1")
    proxy.close()
    down = b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
    wait_for(lambda: replica.call("GET", "k") == down)
    assert replica.call("PING") == down
    assert replica.call("INFO", "replication").startswith(b"# Replication")
    assert replica.call("CONFIG", "SET", "replica-serve-stale-data", "yes") == b"+OK"
    assert replica.call("GET", "k") == b"1"


def test_to_lead_and_to_follow_again(primary: ReferenceServer, start: StartServer) -> None:
    primary.call("FLUSHALL")
    replica = start().connect()
    follow(replica, primary.port)
    primary.call("SET", "k", 1)
    wait_for(lambda: in_step(primary, replica))
    assert replica.call("REPLICAOF", "NO", "ONE") == b"+OK"
    assert replica.call("SET", "k", 2) == b"+OK"
    assert replica.call("ROLE")[0] == b"master"
    assert replica.call("CONFIG", "GET", "replicaof")[1] == b""
    follow(replica, primary.port)
    assert_equal(primary, replica)
    assert replica.call("GET", "k") == b"1"


def test_a_password(start_redis: StartRedis, start: StartServer) -> None:
    primary = start_redis(
        "--save", "", "--requirepass", "secret", "--repl-diskless-sync-delay", "0"
    )
    primary.call("AUTH", "secret")
    primary.call("SET", "k", 1)
    server = start()
    replica = server.connect()
    replica.call("REPLICAOF", "127.0.0.1", primary.port)
    wait_for(lambda: "Unexpected reply to PSYNC" in server.log or "NOAUTH" in server.log)
    replica.call("CONFIG", "SET", "masterauth", "secret")
    wait_for(lambda: replica.call("GET", "k") == b"1")
    primary.call("ACL", "SETUSER", "copier", "on", ">p", "+psync", "+replconf", "+ping")
    replica.call("CONFIG", "SET", "masteruser", "copier", "masterauth", "p")
    replica.call("CLIENT", "KILL", "TYPE", "master")
    primary.call("SET", "k", 2)
    wait_for(lambda: replica.call("GET", "k") == b"2")


def test_words_that_are_wrong(start: StartServer) -> None:
    client = start().connect()
    assert client.call("REPLICAOF", "a") == (
        b"-ERR wrong number of arguments for 'replicaof' command"
    )
    for port in ("x", "-1", "65536", ""):
        assert client.call("REPLICAOF", "127.0.0.1", port) == b"-ERR Invalid master port"
    assert client.call("SLAVEOF", "no", "one") == b"+OK"
    assert client.call("REPLICAOF", "127.0.0.1", 1) == b"+OK"
    assert client.call("REPLICAOF", "127.0.0.1", 1) == (
        b"+OK Already connected to specified master"
    )
    assert client.call("ROLE")[3] in (b"connect", b"connecting")


def test_who_waits_is_told(primary: ReferenceServer, start: StartServer) -> None:
    server = start()
    waiting, other = server.connect(), server.connect()
    waiting.send(b"*3\r\n$5\r\nBLPOP\r\n$1\r\nk\r\n$1\r\n0\r\n")
    wait_for(lambda: b"blocked_clients:1" in other.call("INFO", "clients"))
    other.call("REPLICAOF", "127.0.0.1", primary.port)
    assert waiting.reply() == (
        b"-UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
        b"replica?)"
    )
    assert waiting.at_end()
    counted = other.call("INFO", "commandstats", "errorstats")
    assert b"errorstat_UNBLOCKED:count=1\r\n" in counted
    (line,) = (line for line in counted.split(b"\r\n") if line.startswith(b"cmdstat_blpop:"))
    assert line.startswith(b"cmdstat_blpop:calls=1,")
    assert line.endswith(b",rejected_calls=0,failed_calls=1")


def test_a_log_follows(primary: ReferenceServer, start: StartServer) -> None:
    """What arrives is in the append-only file: the copy, and what comes after it."""
    primary.call("FLUSHALL")
    primary.call("SET", "before", 1)
    server = start("--appendonly", "yes")
    replica = server.connect()
    follow(replica, primary.port)
    primary.call("SELECT", 3)
    primary.call("SET", "after", 1)
    primary.call("SELECT", 0)
    assert_equal(primary, replica)
    wait_for(lambda: b"aof_rewrite_in_progress:0" in replica.call("INFO", "persistence"))
    digest = replica.call("DEBUG", "DIGEST")
    assert replica.call("DEBUG", "LOADAOF") == b"+OK"
    assert replica.call("DEBUG", "DIGEST") == digest


def test_the_configuration_names_a_primary(primary: ReferenceServer, start: StartServer) -> None:
    replica = start("--replicaof", f"127.0.0.1 {primary.port}").connect()
    assert_equal(primary, replica)
