"""Engines with a path and an append-only file: when there is one, and what it promises."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import carnelian
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.saving.snapshots import snapshots_of
from persistence.appended import commands_of
from support.waiting import wait_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def log_of(path: Path) -> Path:
    return path.with_name("app.db.aof")


def test_a_log_begins_with_what_the_snapshot_has(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "a", 1)
    engine = carnelian.Engine(path, appendonly=True, save="")
    engine.execute("SET", "b", 1)
    engine.close()
    path.unlink()
    with carnelian.Engine(path) as engine:
        assert engine.execute("EXISTS", "a", "b") == 2


def test_a_path_goes_on_with_its_log(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True) as engine:
        engine.execute("SET", "a", 1)
    with carnelian.Engine(path) as engine:
        assert engine.execute("CONFIG", "GET", "appendonly") == {b"appendonly": b"yes"}
        engine.execute("SET", "b", 1)
        increment = log_of(path) / "appendonly.aof.1.incr.aof"
        assert commands_of(increment.read_bytes())[-1] == [b"SET", b"b", b"1"]


def test_a_log_that_is_not_wanted_becomes_a_snapshot(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        engine.execute("SET", "key", 1)
    assert not path.exists()
    with carnelian.Engine(path, appendonly=False, save="") as engine:
        assert path.exists()
        assert engine.execute("GET", "key") == b"1"
    assert os.listdir(path.parent) == ["app.db"]


def test_a_log_is_turned_off_and_on(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        engine.execute("SET", "key", 1)
        engine.execute("CONFIG", "SET", "appendonly", "no")
        assert path.exists() and not log_of(path).exists()
        engine.execute("SET", "lost", 1)
        engine.close()
    engine = carnelian.Engine(path, save="")
    assert engine.execute("EXISTS", "key", "lost") == 1
    engine.execute("CONFIG", "SET", "appendonly", "yes")
    engine.execute("SET", "again", 1)
    engine.close()
    with carnelian.Engine(path, save="") as engine:
        assert engine.execute("EXISTS", "key", "again") == 2


@pytest.mark.parametrize("preamble", [True, False])
def test_a_log_that_has_just_been_turned_on_is_kept(path: Path, preamble: bool) -> None:
    engine = carnelian.Engine(path, save="", aof_use_rdb_preamble=preamble)
    for number in range(10_000):
        engine.execute("SET", number, number)
    engine.execute("CONFIG", "SET", "appendonly", "yes")
    engine.execute("SET", "key", 1)
    engine.close()
    assert os.listdir(path.parent) == ["app.db.aof"]
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 10_001
        engine.execute("CONFIG", "SET", "appendonly", "no")


def test_a_snapshot_on_its_way_does_not_come_later(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        for number in range(10_000):
            engine.execute("SET", number, number)
        engine.execute("BGSAVE")
        engine.execute("SET", "key", 1)
        engine.execute("CONFIG", "SET", "appendonly", "no")
        snapshots = snapshots_of(engine.core)
        wait_for(lambda: not snapshots.running)
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 10_001


def test_a_log_that_grows_is_rewritten(path: Path) -> None:
    clock = carnelian.ManualClock()
    with carnelian.Engine(
        path, clock=clock, appendonly=True, auto_aof_rewrite_min_size=1000
    ) as engine:
        for number in range(100):
            engine.execute("SET", "key", number)
        clock.advance(100)
        wait_for(lambda: (log_of(path) / "appendonly.aof.2.base.rdb").exists())
        assert engine.execute("GET", "key") == b"99"


def test_everysec_comes_to_rest(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True) as engine:
        engine.execute("SET", "key", 1)
        wait_for(lambda: append_only_of(engine.core).log.settled)


# -- appendfsync -----------------------------------------------------------------------------------


class Count(threading.Thread):
    """Counts a key up, and looks each time whether that was on the disk when execute returned."""

    def __init__(self, engine: carnelian.Engine, key: str, times: int):
        super().__init__()
        self.all_synced = True
        self._engine, self._key, self._times = engine, key, times

    def run(self) -> None:
        log = append_only_of(self._engine.core).log
        for _time in range(self._times):
            before = log.offset
            self._engine.execute("INCR", self._key)
            # At least its own command has been taken since.
            self.all_synced &= log.is_synced(before + 1)


def test_always_means_always(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="always") as engine:
        log = append_only_of(engine.core).log
        for words in (("SET", "a", 1), ("EVALSHA", "no"), ("GET", "a"), ("LPUSH", "l", 1)):
            try:
                engine.execute(*words)
            except carnelian.Error:
                pass
            assert log.settled
        engine.execute("MULTI")
        engine.execute("SET", "b", 1)
        engine.execute("SET", "c", 1)
        engine.execute("EXEC")
        assert log.settled
        with carnelian.Redis(engine=engine) as client, client.pipeline(transaction=False) as pipe:
            for number in range(200):
                pipe.set("d", number)
            pipe.execute()
            assert log.settled


def test_threads_share_what_they_wait_for(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="always", save="") as engine:
        counts = [Count(engine, f"key:{number}", 100) for number in range(4)]
        for count in counts:
            count.start()
        for count in counts:
            count.join()
        assert all(count.all_synced for count in counts)
        assert append_only_of(engine.core).log.settled
    with carnelian.Engine(path) as engine:
        assert [engine.execute("GET", f"key:{number}") for number in range(4)] == [b"100"] * 4


def test_a_rewrite_under_load_loses_nothing(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="always", save="") as engine:
        counts = [Count(engine, f"key:{number}", 100) for number in range(3)]
        for count in counts:
            count.start()
        for _rewrite in range(5):
            try:
                engine.execute("BGREWRITEAOF")
            except carnelian.Error as error:
                assert "already in progress" in str(error)
        for count in counts:
            count.join()
        wait_for(lambda: not append_only_of(engine.core).restless)
    with carnelian.Engine(path) as engine:
        assert [engine.execute("GET", f"key:{number}") for number in range(3)] == [b"100"] * 3


def test_who_is_served_by_another_waits_for_the_disk_too(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="always") as engine:
        log, synced = append_only_of(engine.core).log, []

        def pop() -> None:
            engine.execute("BLPOP", "list", 0)
            synced.append(log.settled)

        waiter = threading.Thread(target=pop)
        waiter.start()
        wait_for(lambda: b"blocked_clients:1" in engine.execute("INFO", "clients"))
        engine.execute("RPUSH", "list", "element")
        waiter.join()
        assert synced == [True]


def test_other_policies_do_not_wait(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="no") as engine:
        engine.execute("SET", "key", 1)
        log = append_only_of(engine.core)
        assert not log.log.settled and not log.restless
        engine.execute("CONFIG", "SET", "appendfsync", "always")
        engine.execute("GET", "key")
        assert log.log.settled


def test_closing_gives_up_a_rewrite(path: Path, caplog: Any) -> None:
    """The log is whole without it."""
    engine = carnelian.Engine(path, appendonly=True)
    for number in range(20_000):
        engine.execute("SET", f"key:{number}", "x" * 100)
    engine.execute("BGREWRITEAOF")
    with caplog.at_level(logging.INFO, "carnelian"):
        engine.close()
    said = [record.getMessage() for record in caplog.records]
    assert "The rewrite of the AOF is given up: the log is whole without it." in said
    assert not any("child" in line for line in said)
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 20_000
