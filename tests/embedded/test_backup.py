"""Copies of a data set in another file, made while the engine is used."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

import carnelian
from support.servers import require
from support.waiting import free_port, wait_for

LIBRARY = "#!lua name=l\nredis.register_function('f', function() return 1 end)"


def filled(**options) -> carnelian.Engine:
    engine = carnelian.Engine(**options)
    for number in range(3000):
        engine.execute("SET", f"k{number}", number)
    engine.execute("RPUSH", "list", *range(2000))
    engine.execute("HSET", "hash", *[str(n) for n in range(1000)])
    engine.execute("SET", "db1", "x")
    engine.execute("MOVE", "db1", 1)
    engine.execute("SET", "timed", "x", "EX", 1000)
    engine.execute("FUNCTION", "LOAD", LIBRARY)
    return engine


@pytest.mark.parametrize("clock", [None, "manual"])
def test_it_has_everything(tmp_path, clock):
    options = {} if clock is None else {"clock": carnelian.ManualClock()}
    path = tmp_path / "copy.db"
    seen: list[tuple[int, int]] = []
    with filled(**options) as engine:
        engine.backup(path, progress=lambda done, total: seen.append((done, total)))
    assert os.listdir(tmp_path) == ["copy.db"]
    assert seen[-1] == (3004, 3004)
    with carnelian.Engine(path) as copy:
        assert copy.execute("DBSIZE") == 3003
        assert copy.execute("GET", "k2999") == b"2999"
        assert copy.execute("LRANGE", "list", 1990, -1) == [b"%d" % n for n in range(1990, 2000)]
        assert copy.execute("HLEN", "hash") == 500
        assert 990 < copy.execute("TTL", "timed") <= 1000 or clock == "manual"
        assert copy.execute("FCALL", "f", 0) == 1
        assert copy.session(db=1).execute("GET", "db1") == b"x"


def test_it_is_of_one_moment(tmp_path):
    """Two keys that are always changed together are equal in every copy."""
    stop = threading.Event()
    with carnelian.Engine() as engine:
        for number in range(20000):
            engine.execute("SET", f"k{number}", "x" * 50)
        engine.execute("MSET", "one", 0, "two", 0)

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                engine.execute("MSET", "one", number, "two", number, f"k{number % 20000}", "y")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                engine.backup(tmp_path / f"{number}.db")
        finally:
            stop.set()
            writer.join()
    for number in range(3):
        with carnelian.Engine(tmp_path / f"{number}.db") as copy:
            one, two = copy.execute("MGET", "one", "two")
            assert one == two


def test_redis_server_opens_it(tmp_path):
    require("redis-server", "redis-server")
    with filled() as engine:
        engine.backup(tmp_path / "copy.rdb")
    port = free_port()
    words = ["redis-server", "--port", str(port), "--dir", str(tmp_path)]
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen([*words, "--dbfilename", "copy.rdb"], stdout=log, stderr=log)
    try:

        def size() -> str:
            asked = ["redis-cli", "-p", str(port), "dbsize"]
            return subprocess.run(asked, capture_output=True, text=True, timeout=20).stdout

        wait_for(lambda: size() == "3003\n")
    finally:
        server.kill()
        server.wait(10)


def test_it_takes_a_place_when_it_is_whole(tmp_path):
    path = tmp_path / "copy.db"
    path.write_bytes(b"older")
    with filled() as engine:
        with pytest.raises(ZeroDivisionError):
            engine.backup(path, progress=lambda done, total: 1 / 0)
        assert path.read_bytes() == b"older"
        assert os.listdir(tmp_path) == ["copy.db"]
        # What it has frozen goes on, and so does the background.
        engine.execute("SET", "k1", "changed")
        engine.backup(path)
        engine.execute("SET", "k1", "later")
    with carnelian.Engine(path) as copy:
        assert copy.execute("GET", "k1") == b"changed"


def test_where_there_can_be_no_file(tmp_path):
    with carnelian.Engine(tmp_path / "app.db") as engine:
        with pytest.raises(ValueError, match="where the engine itself keeps its data"):
            engine.backup(tmp_path / "app.db")
        with pytest.raises(IsADirectoryError):
            engine.backup(tmp_path)
        with pytest.raises(FileNotFoundError) as caught:
            engine.backup(tmp_path / "none" / "copy.db")
        assert caught.value.filename == str(tmp_path / "none" / "copy.db")
        engine.backup(tmp_path / "copy.db")


def test_others_wait_for_their_turn(tmp_path):
    with filled(dir=str(tmp_path)) as engine:
        backups = [
            threading.Thread(target=engine.backup, args=(tmp_path / f"{number}.db",))
            for number in range(3)
        ]
        for each in backups:
            each.start()
        for each in backups:
            each.join(30)
        assert sorted(os.listdir(tmp_path)) == ["0.db", "1.db", "2.db"]
        assert engine.execute("BGSAVE") == b"Background saving started"


def test_an_engine_that_is_closed_meanwhile(tmp_path):
    engine = filled(rdb_key_save_delay=1000)
    with pytest.raises(carnelian.EngineClosedError):
        engine.backup(tmp_path / "copy.db", progress=lambda done, total: engine.close())
    wait_for(lambda: os.listdir(tmp_path) == [])


def test_an_engine_with_a_log(tmp_path):
    with carnelian.Engine(tmp_path / "app.db", appendonly=True) as engine:
        engine.execute("SET", "k", "v")
        engine.backup(tmp_path / "copy.db")
        engine.execute("SET", "k", "w")
    with carnelian.Engine(tmp_path / "copy.db") as copy:
        assert copy.execute("GET", "k") == b"v"
