"""What a process leaves that dies while it deletes, rewrites or saves, and what the next one makes
of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import carnelian
from carnelian.persistence.aof.append_only import append_only_of
from support.waiting import wait_for

STEM = "appendonly.aof"

# Dies in place of the call of that number.
DYING = """
import os, sys
import carnelian

left = int(sys.argv[2])

def dying(function):
    def call(*arguments, **options):
        global left
        if not left:
            os._exit(9)
        left -= 1
        return function(*arguments, **options)
    return call

engine = carnelian.Engine(sys.argv[1], appendonly=True, save="")
for _ in range(3):
    engine.execute("INCR", "number")
for name in ("fsync", "rename", "rmdir", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
"""

DELETE = """
engine.execute("CONFIG", "SET", "appendonly", "no")
os._exit(0)
"""

REWRITE = """
import time
engine.execute("BGREWRITEAOF")
while b"aof_rewrite_in_progress:1" in engine.execute("INFO"):
    time.sleep(0.001)
os._exit(0)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def log_of(path: Path) -> Path:
    return path.with_name("app.db.aof")


def files(path: Path) -> list[str]:
    return sorted(os.listdir(log_of(path)))


def die(tmp_path: Path, program: str) -> Iterator[Path]:
    """Paths whose process has died, each a step later."""
    for step in range(30):
        place = tmp_path / f"{step}"
        place.mkdir()
        command = [sys.executable, "-c", DYING + program, str(place / "app.db"), str(step)]
        status = subprocess.run(command, timeout=60).returncode
        assert status in (0, 9)
        yield place / "app.db"
        if status == 0:
            assert step > 4
            return
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("program", [DELETE, REWRITE])
def test_nothing_is_replayed_twice(tmp_path: Path, program: str) -> None:
    for path in die(tmp_path, program):
        for number in (3, 4):
            with carnelian.Engine(path, appendonly=True, save="") as engine:
                assert int(engine.execute("GET", "number")) == number
                engine.execute("INCR", "number")
        named = {line.split()[1] for line in (log_of(path) / f"{STEM}.manifest").open()}
        assert set(files(path)) == named | {f"{STEM}.manifest"}
        assert set(os.listdir(path.parent)) <= {"app.db", "app.db.aof"}


def test_a_log_that_was_deleted_half_way_is_deleted(tmp_path: Path) -> None:
    for path in die(tmp_path, DELETE):
        with carnelian.Engine(path, appendonly=False) as engine:
            assert engine.execute("GET", "number") == b"3"
        assert os.listdir(path.parent) == ["app.db"]


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_log_without_its_manifest_is_begun_anew(
    path: Path, caplog: pytest.LogCaptureFixture, snapshot: bool
) -> None:
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        if snapshot:
            engine.execute("SAVE")
        engine.execute("INCR", "number")
    os.utime(path if snapshot else log_of(path), (1, 1))
    (log_of(path) / f"{STEM}.manifest").unlink()
    before = files(path)
    # It may be all that there is of some data.
    with carnelian.Engine(path, save="") as engine:
        assert engine.execute("EXISTS", "number") == 0
    assert files(path) == before
    assert any("There is no AOF manifest file" in line for line in caplog.messages)
    for number in (1, 2):
        with carnelian.Engine(path, appendonly=True, save="") as engine:
            assert engine.execute("INCR", "number") == number


def test_a_log_that_never_had_a_base_is_deleted_without_a_word(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with carnelian.Engine(path, rdb_key_save_delay=100_000) as engine:
        for number in range(20):
            engine.execute("SET", number, number)
        engine.execute("CONFIG", "SET", "appendonly", "yes")
        assert files(path) == [f"{STEM}.lock", f"temp-{STEM}.incr"]
        engine.execute("CONFIG", "SET", "appendonly", "no")
        assert not log_of(path).exists()
        assert not [line for line in caplog.messages if line.startswith("Can't")]
        engine.execute("CONFIG", "SET", "rdb-key-save-delay", 0)
        engine.execute("CONFIG", "SET", "appendonly", "yes")
        wait_for(lambda: not append_only_of(engine.core).restless)
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 20


def test_what_others_have_put_there_stays(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True):
        pass
    for name in (f"{STEM}2.1.incr.aof", f"{STEM}.1.incr.aof.bak", "notes"):
        (log_of(path) / name).touch()
    carnelian.Engine(path, appendonly=False).close()
    assert files(path) == [f"{STEM}.1.incr.aof.bak", f"{STEM}2.1.incr.aof", "notes"]


def test_what_was_in_the_making_is_swept_away(path: Path) -> None:
    with carnelian.Engine(path, appendonly=True):
        pass
    before = files(path)
    for name in (f"temp-{STEM}.manifest", f"temp-{STEM}.incr", f"{STEM}.9.base.rdb"):
        (log_of(path) / name).touch()
    carnelian.Engine(path).close()
    assert files(path) == before


# -- Process ids that come again -------------------------------------------------------------------


@pytest.mark.parametrize("parent", [True, False])
def test_a_dead_process_of_a_number_that_lives(path: Path, parent: bool) -> None:
    pid = os.getppid() if parent else os.getpid()
    path.with_name("app.db.lock").write_text(f"{pid}\n")
    old = (
        f"temp-{pid}.rdb", f"temp-{pid}-3.rdb", f"temp-{pid}-t77.rdb", f"temp-rewriteaof-{pid}.aof",
        f"temp-rewriteaof-{pid}-3.aof", f"temp-rewriteaof-bg-{pid}-3.aof",
    )  # fmt: skip
    for name in old:
        path.with_name(name).touch()
        os.utime(path.with_name(name), (1, 1))
    # Another engine may be writing it.
    path.with_name(f"temp-{pid}-4.rdb").touch()
    carnelian.Engine(path).close()
    assert os.listdir(path.parent) == [f"temp-{pid}-4.rdb"]


def test_a_thread_that_was_killed_while_it_saved(path: Path) -> None:
    program = """
import os, sys, threading
import carnelian
engine = carnelian.Engine(sys.argv[1])
os.rename = lambda *names: os.kill(os.getpid(), 9)
thread = threading.Thread(target=engine.execute, args=("SAVE",))
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", program, str(path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert any(name.startswith("temp-") for name in os.listdir(path.parent))
    carnelian.Engine(path).close()
    assert os.listdir(path.parent) == []


# -- Bases that are empty --------------------------------------------------------------------------


@pytest.mark.parametrize("writes", [0, 3])
def test_an_empty_base_is_no_empty_data_set(path: Path, writes: int) -> None:
    with carnelian.Engine(path, save="") as engine:
        engine.execute("SET", "key", 1)
        engine.execute("SAVE")
    with carnelian.Engine(path, appendonly=True, save="") as engine:
        for _ in range(writes):
            engine.execute("INCR", "number")
    os.truncate(log_of(path) / f"{STEM}.1.base.rdb", 0)
    kept = path.with_name("kept")
    shutil.copytree(log_of(path), kept)
    given: list[dict[str, Any]] = [{}, {"appendonly": True}, {"appendonly": False}]
    for directives in given:
        with pytest.raises(carnelian.DatabaseLoadError, match=r"1\.base\.rdb is empty: something"):
            carnelian.Engine(path, **directives)
    for file in kept.iterdir():
        assert (log_of(path) / file.name).read_bytes() == file.read_bytes()
