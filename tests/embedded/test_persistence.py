"""Engines with a path: what they keep there, when they save it, and what is left to others."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path
from typing import Any

import pytest

import carnelian
from carnelian.persistence.aof.append_only import append_only_of
from support.servers import ReferenceServer, StartRedis
from support.waiting import wait_for

EVERYTHING: tuple[tuple[str | float, ...], ...] = (
    ("SET", "string", "text"),
    ("SET", "number", 17, "PX", 100_000_000),
    ("RPUSH", "list", *range(300)),
    ("SADD", "numbers", 1, 2, 3),
    ("SADD", "members", "a", "b"),
    ("HSET", "hash", "f", "v", "g", "w"),
    ("HPEXPIRE", "hash", 100_000_000, "FIELDS", 1, "g"),
    ("ZADD", "scores", 1.5, "a", 2, "b"),
    ("XADD", "stream", "1-1", "f", "v"),
    ("XGROUP", "CREATE", "stream", "group", "$"),
    ("PFADD", "counter", "a", "b"),
    ("GEOADD", "places", 13.4, 52.5, "Berlin"),
    ("SELECT", 3),
    ("SET", "other", "database"),
    ("SELECT", 0),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def digest(engine: carnelian.Engine) -> object:
    return engine.execute("DEBUG", "DIGEST")


def open_path(path: Path, **directives: Any) -> carnelian.Engine:
    return carnelian.Engine(path, enable_debug_command="yes", **directives)


@pytest.mark.parametrize("directives", [{}, {"appendonly": True}, {"rdb_version": 12}])
def test_everything_is_there_again(path: Path, directives: dict[str, object]) -> None:
    with open_path(path, **directives) as engine:
        for words in EVERYTHING:
            engine.execute(*words)
        before = digest(engine)
    with open_path(path, **directives) as engine:
        assert digest(engine) == before
        assert 0 < engine.execute("PTTL", "number") <= 100_000_000
        engine.execute("DEL", "list")
    with open_path(path) as engine:
        assert engine.execute("EXISTS", "list", "string") == 1


def test_what_is_left_is_the_snapshot_alone(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        assert engine.path == str(path)
        assert os.listdir(path.parent) == ["app.db.lock"]
        engine.execute("SET", "k", "v")
    assert os.listdir(path.parent) == ["app.db"]
    assert path.read_bytes().startswith(b"REDIS")


def test_nothing_is_written_when_nothing_has_changed(path: Path) -> None:
    with carnelian.Engine(path):
        pass
    assert not path.exists()
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "k", "v")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    with carnelian.Engine(path) as engine:
        engine.execute("GET", "k")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_paths_of_all_kinds(path: Path, kind) -> None:
    with carnelian.Engine(kind(path)) as engine:
        engine.execute("SET", "k", "v")
    assert path.exists()


def test_a_link_leads_to_the_file(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with carnelian.Engine(link) as engine:
        engine.execute("SET", "k", "v")
        with pytest.raises(carnelian.DatabaseLockedError):
            carnelian.Engine(path)
    assert link.is_symlink() and path.is_file()


def test_the_process_may_go_elsewhere(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(path.parent)
    with carnelian.Engine("app.db") as engine:
        engine.execute("SET", "k", "v")
        monkeypatch.chdir(elsewhere)
        assert engine.execute("SAVE") == b"OK"
        assert engine.execute("BGSAVE") == b"Background saving started"
        engine.execute("CONFIG", "SET", "appendonly", "yes")
        wait_for(lambda: not append_only_of(engine.core).restless)
        assert engine.execute("CONFIG", "GET", "dir", "dbfilename", "appenddirname") == {
            b"dir": os.fsencode(path.parent),
            b"dbfilename": b"app.db",
            b"appenddirname": b"app.db.aof",
        }
        assert os.getcwd() == str(elsewhere)
    assert os.listdir(elsewhere) == []
    assert sorted(os.listdir(path.parent)) == ["app.db", "app.db.aof"]


def test_two_paths_in_one_directory(tmp_path: Path) -> None:
    names = ("one", "two")
    engines = [carnelian.Engine(tmp_path / name, appendonly=True) for name in names]
    for engine, name in zip(engines, names, strict=True):
        engine.execute("SET", "name", name)
        engine.execute("BGSAVE")
    for engine in engines:
        engine.close()
    for name in names:
        with carnelian.Engine(tmp_path / name) as engine:
            assert engine.execute("GET", "name") == name.encode()


def test_a_path_is_left_where_it_is(path: Path) -> None:
    with carnelian.Engine(path, enable_protected_configs="yes") as engine:
        for name, value in (("dir", "/"), ("dbfilename", "other.db")):
            with pytest.raises(carnelian.Error, match=f"this engine keeps its data in {path}"):
                engine.execute("CONFIG", "SET", name, value)
        assert engine.execute("CONFIG", "GET", "dbfilename") == {b"dbfilename": b"app.db"}


@pytest.mark.parametrize("name", ["dir", "dbfilename", "appenddirname"])
def test_a_path_says_all(path: Path, name: str) -> None:
    directives: Any = {name: "other"}
    with pytest.raises(TypeError, match=f"both a path and '{name}'"):
        carnelian.Engine(path, **directives)
    assert os.listdir(path.parent) == []


def test_without_a_path_nothing_can_be_kept() -> None:
    with pytest.raises(ValueError, match="appendonly needs a path"):
        carnelian.Engine(appendonly=True)
    with pytest.raises(ValueError, match="save needs a path"):
        carnelian.Engine(save="60 1")
    with carnelian.Engine() as engine, pytest.raises(ValueError, match="no path to save to"):
        engine.close(save=True)


def test_without_a_path_there_are_files_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with carnelian.Engine() as engine:
        engine.execute("SET", "k", "v")
        engine.execute("FLUSHALL")
        assert engine.execute("CONFIG", "GET", "save") == {b"save": b""}
    assert os.listdir(tmp_path) == []
    with carnelian.Engine(dbfilename="copy.rdb") as engine:
        engine.execute("SET", "k", "v")
        engine.execute("SAVE")
    assert os.listdir(tmp_path) == ["copy.rdb"]
    with carnelian.Engine("copy.rdb") as engine:
        assert engine.execute("GET", "k") == b"v"


# -- When it is saved ------------------------------------------------------------------------------


def saved(path: Path) -> bool:
    """Whether the snapshot holds a key."""
    return path.exists() and b"key" in path.read_bytes()


def test_save_points(path: Path) -> None:
    clock = carnelian.ManualClock()
    with carnelian.Engine(path, clock=clock, save="60 2") as engine:
        engine.execute("SET", "key", 1)
        clock.advance(61_001)
        assert not saved(path)
        engine.execute("SET", "key", 2)
        clock.advance(1000)
        assert saved(path)
        assert engine.execute("LASTSAVE") == clock.wall_ms() // 1000


def test_save_points_of_real_time(path: Path) -> None:
    with carnelian.Engine(path, save="1 1") as engine:
        engine.execute("SET", "key", 1)
        wait_for(lambda: saved(path))


def test_a_save_point_wakes_the_timer(path: Path) -> None:
    with carnelian.Engine(path, save="5 1", hz=100) as engine:
        engine.execute("SET", "key", 1)
        # By then it has stopped ticking.
        wait_for(lambda: saved(path))


def test_save_points_of_other_redises_are_the_default(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        points = engine.execute("CONFIG", "GET", "save")
    assert points == {b"save": b"3600 1 300 100 60 10000"}


def test_without_save_points_it_is_saved_on_request(path: Path) -> None:
    with carnelian.Engine(path, save="") as engine:
        engine.execute("SET", "key", 1)
    assert not path.exists()
    with carnelian.Engine(path, save="") as engine:
        engine.execute("SET", "key", 1)
        engine.close(save=True)
    assert saved(path)


def test_a_snapshot_that_was_asked_for_is_finished(path: Path) -> None:
    with carnelian.Engine(path, save="") as engine:
        for number in range(10_000):
            engine.execute("SET", number, number)
        engine.execute("BGSAVE")
        engine.execute("SET", "key", 1)
    assert saved(path)
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 10_001


def test_it_can_be_closed_without(path: Path) -> None:
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", 1)
    engine.close(save=False)
    assert os.listdir(path.parent) == []


def test_flushall_is_saved(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "key", 1)
        engine.execute("SAVE")
        assert saved(path)
        engine.execute("FLUSHALL")
        assert path.exists() and not saved(path)


def test_an_engine_that_nobody_uses_is_saved(path: Path) -> None:
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", 1)
    del engine
    gc.collect()
    assert saved(path)
    assert os.listdir(path.parent) == ["app.db"]


def test_an_engine_that_nobody_uses_is_saved_after_its_own_work(path: Path) -> None:
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", 1)
    # As if the destructor ran while the timer works.
    engine.core.on_cron.append(engine.host.abandon)
    wait_for(lambda: engine.closed)
    wait_for(lambda: os.listdir(path.parent) == ["app.db"])
    assert saved(path)


def test_a_client_that_nobody_uses_is_saved(path: Path) -> None:
    carnelian.Redis(path).set("key", 1)
    gc.collect()
    assert saved(path)


def test_shutdown_is_left_to_close(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "key", 1)
        with pytest.raises(carnelian.Error, match="Errors trying to SHUTDOWN"):
            engine.execute("SHUTDOWN", "SAVE")
        assert engine.execute("GET", "key") == b"1"


# -- redis-py --------------------------------------------------------------------------------------


def test_clients_have_paths(path: Path) -> None:
    with carnelian.Redis(path, decode_responses=True, appendonly=True) as client:
        client.set("key", "v")
        assert client.engine.path == str(path)
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    with carnelian.Redis(path, decode_responses=True) as client:
        assert client.get("key") == "v"
    with carnelian.Engine(path) as engine:
        for client_of in (carnelian.Redis, carnelian.AsyncRedis):
            with pytest.raises(TypeError, match="a path, an engine, a server or a connection pool"):
                client_of(path, engine=engine)
        with pytest.raises(TypeError, match="unexpected keyword argument 'appendonly'"):
            carnelian.Redis(engine=engine, appendonly=True)


async def use_asyncio(path: Path) -> None:
    async with carnelian.AsyncRedis(path, save="60 1") as client:
        await client.incr("key")
    async with carnelian.AsyncRedis(path) as client:
        assert await client.get("key") == b"1"


def test_clients_of_asyncio_have_paths(path: Path) -> None:
    asyncio.run(use_asyncio(path))
    assert saved(path)


# -- To and from redis-server ----------------------------------------------------------------------


def reference(start_redis: StartRedis, path: Path, *options: str) -> ReferenceServer:
    places = ("--dir", str(path.parent), "--dbfilename", path.name)
    return start_redis(*places, "--enable-debug-command", "yes", *options)


def test_redis_opens_the_snapshot_and_the_other_way(path: Path, start_redis: StartRedis) -> None:
    commands = [words for words in EVERYTHING if words[0] != "HPEXPIRE"]
    with open_path(path) as engine:
        for words in commands:
            engine.execute(*words)
        before = digest(engine)
    server = reference(start_redis, path)
    assert server.call("DEBUG", "DIGEST") == before
    server.call("SET", "from", "redis")
    server.call("SAVE")
    after = server.call("DEBUG", "DIGEST")
    server.stop()
    with open_path(path) as engine:
        assert digest(engine) == after
        assert engine.execute("GET", "from") == b"redis"


def test_redis_opens_the_log_and_the_other_way(path: Path, start_redis: StartRedis) -> None:
    with open_path(path, appendonly=True) as engine:
        engine.execute("SET", "a", 1)
        engine.execute("BGREWRITEAOF")
        engine.execute("SET", "b", 1)
        before = digest(engine)
    server = reference(start_redis, path, "--appendonly", "yes", "--appenddirname", "app.db.aof")
    assert server.call("DEBUG", "DIGEST") == before
    server.call("SET", "from", "redis")
    after = server.call("DEBUG", "DIGEST")
    server.stop()
    with open_path(path) as engine:
        assert digest(engine) == after
