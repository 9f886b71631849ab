"""Keys by hash slot under an engine: commands, snapshots, reloads and the memory limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.keyspace.database import Database
from support.local import LocalClient

HERE = hash_slot(b"{tag}")


@pytest.fixture
def client(tmp_path: Path) -> LocalClient:
    config = Config()
    config["dir"] = str(tmp_path)
    config.load_text('enable-debug-command yes\nsave ""\n')
    engine = Engine(config)
    engine.keyspace.list_by_slot()
    return LocalClient(engine)


@pytest.fixture
def db(client: LocalClient) -> Database:
    return client.engine.keyspace.databases[0]


def fill(client: LocalClient, count: int) -> set[bytes]:
    for number in range(count):
        client("SET", f"{{tag}}{number}", "x" * number)
        client("SET", f"{number}", "x" * number)
    return {b"{tag}%d" % number for number in range(count)}


def scan(client: LocalClient, *options: str | int) -> list[bytes]:
    found: list[bytes] = []
    cursor = b"0"
    while True:
        cursor, keys = client("SCAN", cursor, *options)
        found += keys
        if cursor == b"0":
            return found


def test_commands_with_a_pattern(client: LocalClient):
    keys = fill(client, 500)
    assert sorted(scan(client, "MATCH", "{tag}*", "COUNT", 7)) == sorted(keys)
    assert sorted(client("KEYS", "{tag}*")) == sorted(keys)
    assert len(set(scan(client, "MATCH", "*1*"))) == len(client("KEYS", "*1*"))
    assert set(scan(client)) == set(client("KEYS", "*"))


def test_a_reload(client: LocalClient, db: Database):
    keys = fill(client, 500)
    client("DEBUG", "RELOAD")
    assert sorted(db.keys_in_slot(HERE, 1000)) == sorted(keys)
    client("FLUSHALL", "ASYNC")
    assert db.count_in_slot(HERE) == 0


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_keys_that_are_evicted(client: LocalClient, db: Database, policy: str):
    fill(client, 500)
    client("CONFIG", "SET", "maxmemory-policy", policy)
    used = client.engine.memory_limit.used()
    client("CONFIG", "SET", "maxmemory", used - 100_000)
    client("SET", "last", "x")
    left = set(client("KEYS", "*"))
    assert 0 < len(left) < 1000
    assert set(db.keys_in_slot(HERE, 1000)) == {key for key in left if hash_slot(key) == HERE}
