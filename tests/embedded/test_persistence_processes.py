"""Engines with a path in processes that fork, end, are killed, or want the same path."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import carnelian

ROUNDS = 4

PRELUDE = """
import multiprocessing, os, sys, threading, time, warnings
warnings.simplefilter("ignore")
import carnelian

def in_child(function):
    pid = os.fork()
    if pid == 0:
        function()
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""


def start(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + program, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(program: str, *arguments: str | Path) -> list[str]:
    process = start(program, *arguments)
    out, errors = process.communicate(timeout=60)
    assert errors == "" and process.returncode == 0
    return out.splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def value(path: Path, key: str = "key") -> object:
    with carnelian.Engine(path) as engine:
        return engine.execute("GET", key)


# -- The lock --------------------------------------------------------------------------------------


def test_one_engine_at_a_time_within_a_process(path: Path) -> None:
    with carnelian.Engine(path):
        with pytest.raises(carnelian.DatabaseLockedError) as e:
            carnelian.Engine(path)
        assert e.value.pid == os.getpid() and e.value.path == str(path)
        assert str(e.value) == (
            f"{path} is in use by another engine in this process ({os.getpid()}): "
            "share that engine, or close it first"
        )
        with pytest.raises(carnelian.DatabaseError):
            carnelian.Redis(path)
    carnelian.Engine(path).close()


def test_one_process_at_a_time(path: Path) -> None:
    program = """
with carnelian.Engine(sys.argv[1]) as engine:
    engine.execute("SET", "key", "theirs")
    print("open", flush=True)
    sys.stdin.read()
"""
    other = start(program, path)
    assert other.stdout is not None and other.stdout.readline() == "open\n"
    with pytest.raises(carnelian.DatabaseLockedError) as e:
        carnelian.Engine(path)
    assert e.value.pid == other.pid
    assert str(e.value) == (
        f"{path} is in use by process {other.pid}: "
        "processes share a server instead, see docs/several-processes.md"
    )
    other.communicate("", timeout=60)
    assert value(path) == b"theirs"


def test_a_killed_process_leaves_no_obstacle(path: Path) -> None:
    program = """
engine = carnelian.Engine(sys.argv[1])
engine.execute("SET", "key", "v")
engine.execute("SAVE")
os.kill(os.getpid(), 9)
"""
    process = start(program, path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert path.with_name("app.db.lock").exists()
    assert value(path) == b"v"
    assert os.listdir(path.parent) == ["app.db"]


def test_what_a_killed_process_was_writing_is_swept_away(path: Path) -> None:
    process = start("engine = carnelian.Engine(sys.argv[1]); os.kill(os.getpid(), 9)", path)
    process.communicate(timeout=60)
    names = (f"temp-{process.pid}.rdb", f"temp-rewriteaof-bg-{process.pid}-7.aof", "temp-1.rdb")
    for name in names:
        path.with_name(name).touch()
    carnelian.Engine(path).close()
    assert os.listdir(path.parent) == ["temp-1.rdb"]


def test_a_child_that_lives_longer_leaves_no_obstacle(path: Path) -> None:
    program = """
engine = carnelian.Engine(sys.argv[1])
pid = os.fork()
if pid == 0:
    os.close(1)
    os.close(2)
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), 9)
"""
    process = start(program, path)
    assert process.wait(60) == -signal.SIGKILL
    # It ends when the child has begun.
    assert process.stdout is not None and process.stdout.read() == ""
    carnelian.Engine(path).close()
    process.communicate("", timeout=60)


# -- The end of the interpreter --------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        "",
        "sys.exit(0)",
        "threading.Thread(target=lambda: (time.sleep(0.2), engine.execute('SET', 'k', 1))).start()",
        "cycle = [engine]; cycle.append(cycle); del engine",
        "client = carnelian.Redis(engine=engine); client.get('key')",
    ],
)
def test_who_forgets_to_close_is_saved(path: Path, end: str) -> None:
    program = f"""
engine = carnelian.Engine(sys.argv[1])
engine.execute("SET", "key", "v", "PX", 10**9)
{end}
"""
    assert run(program, path) == []
    assert os.listdir(path.parent) == ["app.db"]
    assert value(path) == b"v"


def test_an_exception_is_no_reason_not_to_save(path: Path) -> None:
    program = """
client = carnelian.Redis(sys.argv[1])
client.set("key", "v")
raise SystemExit(7)
"""
    process = start(program, path)
    process.communicate(timeout=60)
    assert process.returncode == 7
    assert value(path) == b"v"


def test_what_cannot_be_saved_at_exit_is_said(path: Path) -> None:
    program = """
engine = carnelian.Engine(sys.argv[1])
engine.execute("SET", "key", "v")
os.mkdir(sys.argv[1])
"""
    process = start(program, path)
    _, errors = process.communicate(timeout=60)
    assert f"cannot save {path}: " in errors
    assert errors.rstrip().endswith("; what has changed since is lost")
    assert not path.with_name("app.db.lock").exists()


# -- Children --------------------------------------------------------------------------------------


def test_children_leave_the_files_alone(path: Path) -> None:
    program = """
path = sys.argv[1]
engine = carnelian.Engine(path, appendonly=True)
engine.execute("SET", "key", "parent")
log = path + ".aof/appendonly.aof.1.incr.aof"

def look():
    state = sorted(os.listdir(os.path.dirname(path))), os.stat(log).st_size
    try:
        carnelian.Engine(path)
    except carnelian.DatabaseLockedError as error:
        return *state, error.pid == os.getpid()

def use():
    global engine
    try:
        engine.execute("SET", "key", "child")
    except carnelian.EngineClosedError:
        engine.close()
        del engine

before = look()
in_child(lambda: None)
in_child(use)
process = multiprocessing.get_context("fork").Process(target=use)
process.start()
process.join()
print(look() == before, before[2])
"""
    assert run(program, path) == ["True True"]
    assert value(path) == b"parent"


def test_a_child_has_paths_of_its_own(path: Path) -> None:
    program = """
engine = carnelian.Engine(sys.argv[1])
def use():
    carnelian.Engine(sys.argv[1] + ".child").execute("SET", "key", "child")
in_child(use)
engine.execute("SET", "key", "parent")
"""
    assert run(program, path) == []
    assert value(path) == b"parent"
    assert value(path.with_name("app.db.child")) == b"child"


# -- Processes that are killed ---------------------------------------------------------------------

COUNTERS = """
path, threads, policy = sys.argv[1], int(sys.argv[2]), sys.argv[3]
engine = carnelian.Engine(path, appendonly=True, appendfsync=policy, save="")
out = os.open(path + ".acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def count(key):
    for number in range(int(engine.execute("GET", key) or 0) + 1, 10**9):
        engine.execute("SET", key, number)
        os.write(out, b"%s %d\\n" % (key, number))

for number in range(threads):
    threading.Thread(target=count, args=(b"key:%d" % number,), daemon=True).start()
print("open", flush=True)
while True:
    time.sleep(0.01)
    if sys.argv[4] == "rewrite" and b"aof_rewrite_in_progress:0" in engine.execute("INFO"):
        engine.execute("BGREWRITEAOF")
"""


def acknowledged(path: Path) -> dict[str, int]:
    """The last number of each key that was acknowledged."""
    lines = path.with_name("app.db.acknowledged").read_text().splitlines()
    return {key: int(number) for key, number in (line.split() for line in lines)}


@pytest.mark.parametrize("rewrite", ["rewrite", "no"])
def test_no_acknowledged_write_is_lost_with_always(path: Path, rewrite: str) -> None:
    seeded = random.Random(4)
    for round_number in range(ROUNDS):
        process = start(COUNTERS, path, str(1 + 2 * (round_number % 2)), "always", rewrite)
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05 + seeded.random() * 0.3)
        process.kill()
        process.communicate(timeout=60)
        expected = acknowledged(path)
        assert expected
        with carnelian.Engine(path) as engine:
            for key, number in expected.items():
                # One command may have been run without its end being noted.
                assert number <= int(engine.execute("GET", key)) <= number + 1
