"""A data set written in slices is the one at which it began, whatever changes meanwhile."""

from __future__ import annotations

import _thread
import os
import random
from pathlib import Path
from typing import Any

import pytest

from carnelian import commands
from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.sparing import LOADING
from carnelian.persistence.aof.replay import Replay
from carnelian.persistence.background import slicing
from carnelian.persistence.background.freezing import Freezer
from carnelian.persistence.bytes import crc64
from carnelian.persistence.bytes.spool import Spool
from carnelian.persistence.bytes.targets import BaseTarget, SnapshotTarget
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.file_writer import needed_version
from carnelian.persistence.rdb.outputs import CommandOutput, RecordOutput
from carnelian.persistence.saving.snapshots import snapshots_of
from differential.chance import Chance
from differential.families import FAMILIES
from support.local import LocalClient

commands.declare_all()

STREAMS = [
    "XADD", "XADD", "XADD", "XDEL", "XTRIM", "XGROUP CREATE", "XGROUP DESTROY", "XGROUP SETID",
    "XREADGROUP", "XACK", "XCLAIM", "XAUTOCLAIM", "XGROUP CREATECONSUMER", "XGROUP DELCONSUMER",
]  # fmt: skip
TIMES = ["HEXPIRE", "HPERSIST", "HPEXPIRE", "HSET", "HSET", "HDEL", "HGETDEL", "DEL"]
NAMES = (
    [
        name
        for family, own in FAMILIES.items()
        if family != "transactions"
        for name in own.names
        if not name.startswith("B")
    ]
    + STREAMS
    + TIMES
)


def new_client(path: Path) -> LocalClient:
    config = Config()
    config["dir"] = str(path)
    config.load_text(
        "enable-debug-command yes\nhash-max-listpack-entries 3\nset-max-intset-entries 3\n"
        "set-max-listpack-entries 3\nzset-max-listpack-entries 3\nlist-max-listpack-size 4\n"
        'stream-node-max-entries 3\nlist-compress-depth 1\nsave ""\n'
    )
    return LocalClient(Engine(config))


class Snapshot:
    """A snapshot of a client's engine whose slices are taken one by one."""

    def __init__(self, client: LocalClient, path: Path, big: int):
        engine = client.engine
        self.target = SnapshotTarget(engine, "temporary.rdb", str(path))
        self.spool = Spool(self.target.open(), True, False, self.target)
        version = needed_version(engine.keyspace, 10, quickly=True)
        self.output = RecordOutput(engine.keyspace, version, self.spool, 0, True)
        self.output.begin(files.facts(engine), [])
        self.freezer = Freezer(engine.keyspace, self.output, big, min(big, 2))

    def step(self) -> bool:
        """Take one slice; returns whether there are more."""
        self.freezer.step(0)
        return not self.freezer.over

    def finish(self) -> None:
        while self.step():
            pass
        self.output.end()
        self.spool.finish()
        assert self.spool.ended.wait(10)
        assert self.spool.error is None


def populate(client: LocalClient, seed: int, count: int) -> None:
    chance = Chance(seed, NAMES)
    for database in (0, 1, 2):
        client("SELECT", database)
        for _ in range(count):
            client.call(*chance.command())
        for number in range(60):
            client("SET", f"string{number}", "x" * number)
            client("HSET", "big hash", f"f{number}", number)
            client("ZADD", "big zset", number, f"m{number}")
            client("SADD", "big set", f"m{number}")
            client("RPUSH", "big list", number)
            client("XADD", "big stream", f"{number + 1}-1", "f", number)
            client("ARMSET", "big array", number, "v", number * 5000, f"the text of {number}")
            client("ARINSERT", "big array", number)
        client("HEXPIRE", "big hash", 1000, "FIELDS", 2, "f1", "f2")
        client("XGROUP", "CREATE", "big stream", "g", 0)
        client("XREADGROUP", "GROUP", "g", "c", "COUNT", 9, "STREAMS", "big stream", ">")
    client("SELECT", 0)


def contents(client: LocalClient) -> dict[tuple[int, bytes], tuple[bytes, int, Any]]:
    """Everything that is there, in a form to compare."""
    found: dict[tuple[int, bytes], tuple[bytes, int, Any]] = {}
    for database in range(3):
        client("SELECT", database)
        for key in client("KEYS", "*"):
            kind = client("TYPE", key)
            found[database, key] = (kind, client("PEXPIRETIME", key), READERS[kind](client, key))
    client("SELECT", 0)
    return found


def hash_content(client: LocalClient, key: bytes) -> object:
    fields = client("HKEYS", key)
    times = client("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)
    return sorted(zip(fields, client("HVALS", key), times, strict=True))


READERS = {
    b"string": lambda client, key: client("GET", key),
    b"list": lambda client, key: client("LRANGE", key, 0, -1),
    b"set": lambda client, key: sorted(client("SMEMBERS", key)),
    b"zset": lambda client, key: client("ZRANGE", key, 0, -1, "WITHSCORES"),
    b"hash": hash_content,
    b"stream": lambda client, key: client("XINFO", "STREAM", key, "FULL", "COUNT", 0),
    b"array": lambda client, key: (client("ARSCAN", key, 0, 2**64 - 2), client("ARNEXT", key)),
}


@pytest.mark.parametrize("seed", range(40))
def test_random_changes_do_not_show(tmp_path: Path, seed: int) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    populate(client, seed, 150)
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    before = contents(client)
    chance, dice = Chance(seed + 1000, NAMES), random.Random(seed)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", dice.choice([1, 5, 2048]))
    for _ in range(300):
        if dice.random() < 0.2:
            client("SELECT", dice.randrange(3))
        words = chance.command()
        if len(words) > 1 and dice.random() < 0.3:
            words = (words[0], dice.choice(KEYS).encode(), *words[2:])
        client.call(*words)
        if dice.random() < 0.1:
            snapshot.step()
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


@pytest.mark.parametrize("steps", [0, 1, 3, 1000])
def test_a_value_may_be_all_there_is(tmp_path: Path, steps: int) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    for name, value in {"a": 1, "b": 2, "c": 3}.items():
        client("SELECT", value - 1)
        client("SADD", name, *range(100))
        client("RPUSH", f"{name} list", *range(100))
    client("SELECT", 0)
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    for _ in range(steps):
        snapshot.step()
    client("SREM", "a", 5)
    client("LSET", "a list", 50, "x")
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_slot_that_is_deleted_does_not_show(tmp_path: Path, steps: int) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    for each in (client, other):
        each.engine.keyspace.list_by_slot()
    for number in range(2000):
        client("SET", f"{{tag}}{number}", "x" * (number % 700))
        client("SADD", f"{number}", *range(number % 9 + 1))
    before = contents(client)
    db, slot = client.engine.keyspace.databases[0], hash_slot(b"{tag}")
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    while db.delete_slot(slot, 100):
        for _ in range(steps):
            snapshot.step()
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before
    assert other.engine.keyspace.databases[0].count_in_slot(slot) == 2000


def test_long_strings_are_whole(tmp_path: Path) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    dice = random.Random(1)
    for number in range(8):
        client("SET", f"random{number}", dice.randbytes(60_000 + 2_000 * number))
        client("SET", f"alike{number}", b"text" * (10_000 << number), "EX", 1000)
    client("SADD", "big set", *range(100))
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    client("SET", "random5", "x")
    client("SREM", "big set", 5)
    client("APPEND", "alike3", "more")
    client("SETRANGE", "alike4", 100_000, "other")
    client("DEL", "random7", "alike7")
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


@pytest.mark.parametrize("kind", ["database", "hash", "zset", "set", "list", "stream"])
def test_what_only_the_snapshot_holds_is_freed_in_steps(tmp_path: Path, kind: str) -> None:
    client = new_client(tmp_path)
    keyspace = client.engine.keyspace
    for number in range(2000):
        make = {
            "database": ("SET", f"key{number}", "x"),
            "hash": ("HSET", "big", f"f{number}", "x"),
            "zset": ("ZADD", "big", number, f"m{number}"),
            "set": ("SADD", "big", f"m{number}"),
            "list": ("RPUSH", "big", "x" * 2000),
            "stream": ("XADD", "big", "*", "f", "x" * 2000),
        }[kind]
        client(*make)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 2)
    if kind == "database":
        client("FLUSHDB")
    else:
        snapshot.step()
        client("DEL", "big")
    assert keyspace.lazyfree_pending_objects == 0
    snapshot.finish()
    assert keyspace.lazyfree_pending_objects > 0
    while keyspace.background_step(1000):
        pass
    assert keyspace.lazyfree_pending_objects == 0


@pytest.mark.parametrize("seed", range(10))
def test_commands_make_it_as_it_was(tmp_path: Path, seed: int) -> None:
    client = new_client(tmp_path)
    populate(client, seed, 50)
    client("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    before = contents(client)
    target = BaseTarget(client.engine, "temporary.aof", str(tmp_path / "base.aof"))
    spool = Spool(target.open(), None, False, target)
    output = CommandOutput(spool)
    output.begin(0, [])
    freezer = Freezer(client.engine.keyspace, output, 1, 1)
    chance = Chance(seed + 1000, NAMES)
    for number in range(300):
        client.call(*chance.command())
        if number % 20 == 0:
            freezer.step(0)
    while not freezer.over:
        freezer.step(0)
    output.end()
    spool.finish()
    assert spool.ended.wait(10) and spool.placed
    other = new_client(tmp_path)
    other.engine.keyspace.spare_overdue(LOADING)
    base = tmp_path / "base.aof"
    Replay(other.engine, os.open(base, os.O_RDONLY), 0, base.stat().st_size).run()
    after = contents(other)
    for found in (before, after):
        for key, (kind, expiry, value) in list(found.items()):
            if kind == b"stream":
                # Commands do not carry when a consumer was last seen.
                found[key] = (kind, expiry, value[value.index(b"entries") + 1])
    assert after == before


def test_a_thread_that_fails_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = new_client(tmp_path)
    client("SET", "a", 1)

    def fail(data: bytes, crc: int = 0) -> int:
        raise MemoryError

    monkeypatch.setattr(crc64, "of", fail)
    snapshots = snapshots_of(client.engine)
    slices = slicing.begin(client.engine, snapshots.target, snapshots.freeze)
    slices.wait()
    assert slices.exit_status == 1
    assert os.listdir(tmp_path) == []


def test_without_a_thread_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = new_client(tmp_path)
    client("SET", "a", 1)

    def fail(*arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    snapshots = snapshots_of(client.engine)
    with pytest.raises(OSError):
        slicing.begin(client.engine, snapshots.target, snapshots.freeze)
    assert os.listdir(tmp_path) == []
    assert client("SET", "a", 2) == b"OK"


def test_one_that_is_given_up_leaves_no_trace(tmp_path: Path) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    populate(client, 0, 0)
    for number in range(70):
        given_up = Snapshot(client, tmp_path / "none.rdb", 1)
        for _ in range(number):
            given_up.step()
        client("HSET", "big hash", "f1", number)
        client("LSET", "big list", 5, number)
        client("SREM", "big set", f"m{number}")
        given_up.freezer.stop()
        given_up.spool.cancel()
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    client("DEL", *KEYS)
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


@pytest.mark.parametrize("given_up", [1, 253, 254, 255, 256, 257, 600])
def test_the_numbers_of_versions_come_again(tmp_path: Path, given_up: int) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    client("SADD", "big set", *range(1000))
    target = SnapshotTarget(client.engine, "unused.rdb", str(tmp_path / "none.rdb"))
    unused = Spool(target.open(), False, False, target)
    for number in range(given_up):
        output = RecordOutput(client.engine.keyspace, 10, unused, 0, True)
        freezer = Freezer(client.engine.keyspace, output, 1)
        freezer.step(0)
        client("SMOVE", "big set", "elsewhere", number)
        freezer.stop()
    unused.cancel()
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    client("SADD", "big set", *range(2000, 2500))
    client("SREM", "big set", *range(500, 900))
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


@pytest.mark.parametrize("count", [200, 3000, 40_000])
@pytest.mark.parametrize("growing", [True, False])
def test_a_set_is_as_it_was_while_it_grows_or_shrinks(
    tmp_path: Path, count: int, growing: bool
) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    members = [f"member:{number}" for number in range(count)]
    client("SADD", "big set", *members, "long " * 100)
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", 1)
    dice = random.Random(count)
    dice.shuffle(members)
    changes = 0
    while snapshot.step():
        for _ in range(dice.randrange(60)):
            changes += 1
            if growing:
                client("SADD", "big set", f"new:{changes}")
            elif dice.random() < 0.2:
                client("SPOP", "big set")
            elif members:
                client("SREM", "big set", members.pop())
    snapshot.finish()
    assert changes
    assert snapshots_of(other.engine).load()
    assert contents(other) == before


KEYS = ["big hash", "big zset", "big set", "big list", "big stream"]

# What changes a value that is there, each in its own way.
CHANGES = [
    "APPEND string5 x", "SETRANGE string5 1 y", "SET string5 y", "SET string5 y KEEPTTL",
    "INCR number", "INCRBYFLOAT number 1.5", "SETBIT string5 3 1", "GETDEL string5",
    "GETEX string5 EX 5", "EXPIRE string5 100", "EXPIRE timed 500", "PERSIST timed", "DEL timed",
    "EXPIRE string5 -1", "RENAME string5 string6", "MOVE string5 9", "COPY string5 string6 REPLACE",
    "PFADD counter x", "PFCOUNT counter", "PFMERGE counter other", "FLUSHALL", "FLUSHDB ASYNC",
    "SWAPDB 0 1", "UNLINK big\x20set", "RESTORE string5 0 {dump} REPLACE",
    "HSET H f1 new", "HSET H new new", "HDEL H f1", "HINCRBY H f1 5", "HEXPIRE H 7 FIELDS 1 f1",
    "HEXPIRE H 7 FIELDS 1 f9", "HPERSIST H FIELDS 1 f1", "HEXPIRE H 0 FIELDS 1 f9", "DEL H",
    "RENAME H elsewhere", "MOVE H 9", "EXPIRE H 9", "HSETNX H new new", "HGETDEL H FIELDS 1 f1",
    "SADD S new", "SREM S m1", "SPOP S", "SPOP S 50", "SMOVE S absent m1", "SINTERSTORE S S none",
    "SUNIONSTORE S S many", "RENAME S elsewhere",
    "ZADD Z 5.5 m1", "ZADD Z 5.5 new", "ZINCRBY Z 3 m1", "ZREM Z m1", "ZPOPMIN Z", "ZPOPMAX Z 50",
    "ZREMRANGEBYRANK Z 3 50", "ZREMRANGEBYSCORE Z 3 50", "ZREMRANGEBYLEX Z - +", "DEL Z",
    "ZUNIONSTORE Z 1 Z WEIGHTS 2", "RENAME Z elsewhere", "GEOADD Z 1 1 m1", "ZMPOP 1 Z MIN",
    "LPUSH L new", "RPOP L", "LPOP L 30", "LSET L 7 new", "LINSERT L BEFORE 7 new", "LREM L 0 7",
    "LTRIM L 5 10", "LMOVE L L LEFT RIGHT", "LMOVE L absent LEFT RIGHT", "LMPOP 1 L LEFT", "DEL L",
    "SORT L STORE L", "RENAME L elsewhere",
    "XADD X * f new", "XDEL X 3-1", "XTRIM X MAXLEN 5", "XSETID X 900-1", "XACK X g 2-1",
    "XREADGROUP GROUP g c STREAMS X >", "XREADGROUP GROUP g new STREAMS X >",
    "XREADGROUP GROUP g c STREAMS X 0", "XCLAIM X g d 0 2-1", "XAUTOCLAIM X g d 0 0",
    "XGROUP DESTROY X g", "XGROUP SETID X g 5-1", "XGROUP CREATE X h 0",
    "XGROUP CREATECONSUMER X g d", "XGROUP DELCONSUMER X g c", "DEL X",
    "XDELEX X DELREF IDS 1 2-1", "XACKDEL X g IDS 1 2-1", "XNACK X g FAIL IDS 2 2-1 3-1",
    "XREADGROUP GROUP g d CLAIM 0 STREAMS X >", "XADD X IDMP p a * f new",
    "XADD X IDMP p known * f new", "XCFGSET X IDMP-DURATION 5", "XIDMPRECORD X p new 5-1",
    "ARSET A 5 new", "ARSET A 10000 new newer", "ARSET A 999999 new", "ARMSET A 3 x 20000 y",
    "ARDEL A 5 30 15000", "ARDELRANGE A 3 50", "ARDELRANGE A 0 9999999", "ARINSERT A new",
    "ARRING A 50 new", "ARRING A 999999 new", "ARSEEK A 7", "DEL A", "RENAME A elsewhere",
    "HIMPORT SET H fields 1 2",
]  # fmt: skip
NAMED = {"H": "big hash", "S": "big set", "Z": "big zset", "L": "big list", "X": "big stream"}
NAMED["A"] = "big array"


@pytest.mark.parametrize("big", [1, 2048])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_does_not_show(tmp_path: Path, change: str, big: int) -> None:
    client, other = new_client(tmp_path), new_client(tmp_path)
    populate(client, 0, 0)
    client("SET", "number", 10)
    client("SET", "timed", "x", "EX", 1000)
    client("PFADD", "counter", *range(100))
    client("PFADD", "other", *range(50))
    dump = client("DUMP", "string9")
    client("HIMPORT", "PREPARE", "fields", "f1", "new")
    if "IDMP" in change:
        client("XADD", "big stream", "IDMP", "p", "known", "*", "f", "v")
    before = contents(client)
    snapshot = Snapshot(client, tmp_path / "dump.rdb", big)
    words = [NAMED.get(word, word.replace("\\x20", " ")) for word in change.split()]
    reply = client.call(*[dump if word == "{dump}" else word for word in words])
    assert reply.kind != b"-", reply
    snapshot.finish()
    assert snapshots_of(other.engine).load()
    assert contents(other) == before
