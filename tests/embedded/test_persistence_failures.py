"""Damaged files, and disks that do not take what they are given: errors that can be seen, and
nothing that was safe before is lost.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

import carnelian
from carnelian.persistence.aof.append_only import append_only_of
from support.waiting import wait_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def fill(path: Path, **directives: Any) -> None:
    with carnelian.Engine(path, **directives) as engine:
        for number in range(100):
            engine.execute("SET", f"key:{number}", "value" * number)


@contextmanager
def unsavable(path: Path) -> Iterator[None]:
    """While a directory has the place of the snapshot, none can take it."""
    kept = path.with_name("kept")
    if path.exists():
        path.rename(kept)
    path.mkdir()
    yield
    path.rmdir()
    if kept.exists():
        kept.rename(path)


@contextmanager
def unwritable(engine: carnelian.Engine, target: int) -> Iterator[None]:
    """While the log goes to something else, a descriptor that is closed in the end."""
    log = append_only_of(engine.core).log.fd
    kept = os.dup(log)
    os.dup2(target, log)
    yield
    os.dup2(kept, log)
    os.close(kept)
    os.close(target)


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


# -- Where nothing can be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("missing/app.db", FileNotFoundError),
        ("file/app.db", NotADirectoryError),
        ("directory", IsADirectoryError),
        ("pipe", OSError),
        ("/dev/null", OSError),
        ("/proc/app.db", OSError),
        ("x" * 300, OSError),
    ],
)
def test_places_where_there_can_be_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: type[OSError]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(error) as e:
        carnelian.Engine(name)
    assert e.value.filename == (name or str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["directory", "file", "pipe"]


def test_a_directory_that_only_lets_read(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        carnelian.Engine(tmp_path / "app.db")
    tmp_path.chmod(0o700)


# -- Damaged files ---------------------------------------------------------------------------------


def damaged(path: Path, change) -> bytes:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return bytes(content)


def flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


def cut(content: bytearray) -> None:
    del content[len(content) // 2 :]


def empty(content: bytearray) -> None:
    content.clear()


def scribble(content: bytearray) -> None:
    content[:] = b"some other file altogether"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (flip, r"Wrong RDB checksum expected|it ends before it is complete|\(byte "),
        (cut, r"it ends before it is complete \(byte \d+(, key 'key:\d+')?\)$"),
        (empty, "it is empty$"),
        (scribble, "it is not a Redis snapshot$"),
    ],
)
def test_a_damaged_snapshot_is_refused_and_left_alone(path: Path, change, reason: str) -> None:
    fill(path)
    content = damaged(path, change)
    with pytest.raises(carnelian.DatabaseLoadError, match=f"cannot load {path}: .*({reason})") as e:
        carnelian.Engine(path)
    assert e.value.path == str(path)
    gc.collect()
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["app.db"]
    with pytest.raises(carnelian.DatabaseLoadError):
        carnelian.Redis(path)


KEY = b"\0\x01a\x01x"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello", "it is not a Redis snapshot"),
        (b"SQLite format 3\0" + b"\0" * 100, "it is not a Redis snapshot"),
        (b"REDI", r"it ends before it is complete (byte 4)"),
        (b"REDIS0099", "Can't handle RDB format version 99"),
        (b"REDIS0004" + KEY * 2 + b"\xff", "RDB has duplicated key 'a' in DB 0 (byte 19)"),
        (b"REDIS0004\x3f\x01a", "Unknown RDB encoding type 63 (byte 10)"),
        (b"REDIS0004\xf0", "Unknown RDB encoding type 240 (byte 10)"),
        (
            b"REDIS0010\x07\x01k\x81" + b"\x01" * 8,
            "The RDB file contains module data I can't load: no matching module type "
            "'AQEBAQEBA' (byte 21, key 'k')",
        ),
        (b"REDIS0004\x0b\x01k\x02ab", "Intset integrity check failed (byte 15, key 'k')"),
        (
            b"REDIS0004\xfe\x10" + KEY,
            "FATAL: Data file was created with a Redis server configured to handle more than 16 "
            "databases. Exiting",
        ),
    ],
)
def test_a_snapshot_that_is_refused_says_why(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(carnelian.DatabaseLoadError) as e:
        carnelian.Engine(path)
    assert str(e.value) == f"cannot load {path}: {reason}"
    assert path.read_bytes() == content


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, as Linux has it")
def test_a_full_disk_is_named(path: Path) -> None:
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "k", "v")
        (path.parent / f"temp-{os.getpid()}.rdb").symlink_to("/dev/full")
        with pytest.raises(carnelian.Error) as e:
            engine.execute("SAVE")
        reason = "Write error saving DB on disk(rdbSaveRio): No space left on device"
        assert str(e.value) == f"ERR {reason}"
        (path.parent / f"temp-{os.getpid()}.rdb").symlink_to("/dev/full")
        with pytest.raises(carnelian.DatabaseSaveError) as save_error:
            engine.close()
        assert str(save_error.value) == f"cannot save {path}: {reason}"
    assert list(path.parent.glob("temp-*")) == []


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (
            "appendonly.aof.1.base.rdb",
            cut,
            r"1.base.rdb: it ends before it is complete \(byte \d+",
        ),
        ("appendonly.aof.1.incr.aof", scribble, "Bad file format reading the append only file"),
        ("appendonly.aof.manifest", scribble, "AOF manifest"),
        ("appendonly.aof.manifest", empty, "Found an empty AOF manifest"),
    ],
)
def test_a_damaged_log_is_refused_and_left_alone(
    path: Path, name: str, change, reason: str
) -> None:
    fill(path, appendonly=True)
    file = path.with_name("app.db.aof") / name
    content = damaged(file, change)
    given: list[dict[str, Any]] = [{}, {"appendonly": True}, {"appendonly": False}]
    for directives in given:
        with pytest.raises(carnelian.DatabaseLoadError, match=reason):
            carnelian.Engine(path, **directives)
        assert file.read_bytes() == content


def test_a_part_that_is_missing_is_missed(path: Path) -> None:
    fill(path, appendonly=True)
    (path.with_name("app.db.aof") / "appendonly.aof.1.incr.aof").unlink()
    with pytest.raises(carnelian.DatabaseLoadError, match="the AOF file appendonly"):
        carnelian.Engine(path)


def test_a_torn_last_record_is_cut_off_unless_that_is_refused(path: Path) -> None:
    fill(path, appendonly=True)
    file = path.with_name("app.db.aof") / "appendonly.aof.1.incr.aof"
    os.truncate(file, file.stat().st_size - 3)
    with pytest.raises(carnelian.DatabaseLoadError, match="Unexpected end of file"):
        carnelian.Engine(path, aof_load_truncated=False)
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 99


# -- Snapshots that fail ---------------------------------------------------------------------------


def test_close_keeps_what_it_cannot_save(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(path)
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", "v")
    with unsavable(path):
        with pytest.raises(carnelian.DatabaseSaveError, match=f"cannot save {path}: ") as e:
            engine.close()
        assert "Is a directory" in str(e.value) and e.value.path == str(path)
        assert "can't exit" not in caplog.text
        assert not engine.closed
        assert engine.execute("GET", "key") == b"v"
    with pytest.raises(carnelian.DatabaseLockedError):
        carnelian.Engine(path)
    engine.close()
    assert sorted(os.listdir(path.parent)) == ["app.db"]
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 101


@pytest.mark.parametrize("how", ["close", "directive"])
def test_who_cannot_save_gets_away(path: Path, how: str) -> None:
    fill(path)
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", "v")
    with unsavable(path):
        with pytest.raises(carnelian.DatabaseSaveError):
            engine.close()
        if how == "close":
            engine.close(save=False)
        else:
            engine.execute("CONFIG", "SET", "save", "")
            engine.close()
        assert engine.closed
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 100


def test_an_engine_that_nobody_uses_says_what_is_lost(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = carnelian.Engine(path)
    engine.execute("SET", "key", "v")
    with unsavable(path):
        caplog.clear()
        del engine
    assert caplog.records[-1].levelno == logging.ERROR
    assert caplog.messages[-1] == (
        f"cannot save {path}: Error moving temp DB file temp-{os.getpid()}.rdb on the final "
        f"destination app.db (in server root dir {path.parent}): Is a directory; what has changed "
        "since is lost"
    )
    carnelian.Engine(path).close()


def test_writes_are_refused_after_a_snapshot_has_failed(path: Path) -> None:
    clock = carnelian.ManualClock()
    with carnelian.Engine(path, clock=clock, save="60 1") as engine:
        engine.execute("SET", "key", 1)
        with unsavable(path):
            clock.advance(61_000)
            wait_for(lambda: b"rdb_last_bgsave_status:err" in engine.execute("INFO"))
            with pytest.raises(carnelian.Error, match=r"^MISCONF Redis is configured to save RDB"):
                engine.execute("SET", "key", 2)
            assert engine.execute("GET", "key") == b"1"
        clock.advance(6_000)
        wait_for(lambda: b"rdb_last_bgsave_status:ok" in engine.execute("INFO"))
        engine.execute("SET", "key", 2)


def test_a_log_is_not_turned_off_without_a_snapshot(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        engine.execute("SET", "key", 1)
        with unsavable(path), pytest.raises(carnelian.Error, match="Unable to turn off AOF"):
            engine.execute("CONFIG", "SET", "appendonly", "no")
        engine.execute("SET", "key", 2)
    with unsavable(path), pytest.raises(IsADirectoryError):
        carnelian.Engine(path, appendonly=False)
    with carnelian.Engine(path) as engine:
        assert engine.execute("GET", "key") == b"2"


def test_a_log_that_is_not_wanted_is_kept_until_there_is_a_snapshot(path: Path) -> None:
    fill(path, appendonly=True, save="")
    obstacle = path.with_name(f"temp-{os.getpid()}.rdb")
    obstacle.mkdir()
    with pytest.raises(carnelian.DatabaseSaveError, match="Failed opening the temp RDB file"):
        carnelian.Engine(path, appendonly=False)
    obstacle.rmdir()
    assert os.listdir(path.parent) == ["app.db.aof"]
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 100


# -- Logs that cannot be written -------------------------------------------------------------------

MISCONF = "^MISCONF Errors writing to the AOF file: "


def test_always_says_that_a_write_is_not_safe(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, appendfsync="always", save="") as engine:
        engine.execute("SET", "key", 1)
        with unwritable(engine, full()):
            with pytest.raises(carnelian.Error, match=f"{MISCONF}No space left on device"):
                engine.execute("SET", "key", 2)
            with pytest.raises(carnelian.Error, match=f"{MISCONF}No space left on device"):
                engine.execute("SET", "key", 3)
            assert engine.execute("GET", "key") == b"2"
            with pytest.raises(carnelian.DatabaseSaveError, match="cannot save"):
                engine.close()
        wait_for(lambda: append_only_of(engine.core).failure == 0)
        engine.execute("INCR", "key")
    with carnelian.Engine(path) as engine:
        assert engine.execute("GET", "key") == b"3"


def test_redis_py_hears_of_it(path: Path) -> None:
    engine = carnelian.Engine(path, appendonly=True, appendfsync="always", save="")
    client = carnelian.Redis(engine=engine)
    with unwritable(engine, full()), pytest.raises(redis.ResponseError, match="MISCONF Errors"):
        client.set("key", 1)
    engine.close(save=False)


def test_after_a_failing_fsync_nothing_is_promised(path: Path) -> None:
    reading, writing = os.pipe()
    with carnelian.Engine(path, appendonly=True, appendfsync="always", save="") as engine:
        engine.execute("SET", "key", 1)
        refused = pytest.raises(carnelian.Error, match=f"{MISCONF}Invalid argument")
        with unwritable(engine, writing), refused:
            engine.execute("SET", "key", 2)
        os.close(reading)
        # It works again, but whether what was written before is there cannot be known.
        with pytest.raises(carnelian.Error, match=MISCONF):
            engine.execute("SET", "key", 3)
        with pytest.raises(carnelian.Error, match="Can't execute an AOF background"):
            engine.execute("BGREWRITEAOF")
        # A new log begins with all there is.
        engine.execute("CONFIG", "SET", "appendonly", "no")
        engine.execute("CONFIG", "SET", "appendonly", "yes")
        wait_for(lambda: not append_only_of(engine.core).restless)
        engine.execute("INCR", "key")
    with carnelian.Engine(path) as engine:
        assert engine.execute("GET", "key") == b"3"


def test_everysec_refuses_until_it_works_again(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        with unwritable(engine, full()):
            engine.execute("SET", "key", 1)
            wait_for(lambda: append_only_of(engine.core).failure)
            with pytest.raises(carnelian.Error, match=f"{MISCONF}No space left on device"):
                wait_for(lambda: engine.execute("SET", "key", 2) != b"OK")
        wait_for(lambda: append_only_of(engine.core).failure == 0)
        engine.execute("INCR", "key")
    with carnelian.Engine(path) as engine:
        assert int(engine.execute("GET", "key")) >= 2


def test_who_gives_up_is_told_how_much_is_lost(path: Path, caplog: Any) -> None:
    engine = carnelian.Engine(path, appendonly=True, save="")
    with unwritable(engine, full()):
        # The first one meets the error, and is answered, as with Redis.
        assert engine.execute("SET", "key", "value") == b"OK"
        wait_for(lambda: append_only_of(engine.core).failure)
        left = append_only_of(engine.core).log.buffer.length
        assert left > 30
        with caplog.at_level(logging.WARNING, "carnelian"):
            engine.close(save=False)
    lost = f"; closed without saving {path}: {left} bytes of commands are lost"
    assert len([r for r in caplog.records if r.getMessage().endswith(lost)]) == 1


def test_an_empty_path_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for make in (carnelian.Engine, carnelian.Redis, carnelian.AsyncRedis):
        for empty in ("", b""):
            with pytest.raises(ValueError, match=r"^an empty path: None, or no path at all"):
                make(empty)
    assert os.listdir(tmp_path) == []
