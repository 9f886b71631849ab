"""Files that are opened: they are never changed unless that is asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import carnelian

from .programs import OURS, Outcome, run

REFUSAL = (
    b"READONLY the file was opened for reading: carnelian-cli --write opens it for changes\n\n"
)


def filled(path: Path, **directives: object) -> Path:
    with carnelian.Engine(path, **directives) as engine:  # type: ignore[arg-type]
        engine.execute("SET", "a", "1")
        engine.execute("HSET", "h", "f", "v")
        engine.execute("RPUSH", "l", *range(5))
        engine.execute("SELECT", 2)
        engine.execute("SET", "b", "2")
    return path


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file with its content and its time."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("logged", [False, True])
def test_reading_changes_nothing(tmp_path: Path, logged: bool) -> None:
    path = filled(tmp_path / "app.db", appendonly=logged)
    before = state(tmp_path)
    lines = (
        b"get a\nhgetall h\nset a 2\ndel a\nsave\nbgsave\nbgrewriteaof\nshutdown\n"
        b"config set appendonly yes\nconfig rewrite\nflushall\nreplicaof no one\nget a\nselect 2\n"
        b"get b\n"
    )
    done = run(OURS, str(path), stdin=lines)
    assert done == Outcome(0, b"1\nf\nv\n" + REFUSAL * 10 + b"1\nOK\n2\n", b"")
    assert state(tmp_path) == before


def test_a_script_that_writes(tmp_path: Path) -> None:
    path = filled(tmp_path / "app.db")
    done = run(OURS, str(path), "eval", "return redis.call('set', KEYS[1], 1)", "1", "x")
    assert done.out.startswith(REFUSAL.strip())


def test_a_damaged_end_of_a_log_stays_as_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "app.db", appendonly=True)
    log = max(tmp_path.glob("app.db.aof/*.incr.aof"))
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1")
    before = state(tmp_path)
    assert run(OURS, str(path), "get", "a").out == b"1\n"
    assert state(tmp_path) == before


def test_a_file_that_somebody_has_open(tmp_path: Path) -> None:
    path = filled(tmp_path / "app.db")
    with carnelian.Engine(path) as engine:
        engine.execute("SET", "a", "changed")
        assert run(OURS, str(path), "get", "a") == Outcome(0, b"1\n", b"")
        done = run(OURS, "--write", str(path), "get", "a")
    assert done.status == 1
    assert done.err.startswith(b"Could not open %b: " % bytes(path))
    assert b"is in use by" in done.err


def test_writing(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    assert run(OURS, "--write", str(path), "incr", "a") == Outcome(0, b"1\n", b"")
    assert run(OURS, "--write", str(path), "incr", "a") == Outcome(0, b"2\n", b"")
    pipe = run(OURS, "--write", "--pipe", str(path), stdin=b"set p 1\r\nset q 2\r\nfoo\r\n")
    assert pipe.status == 1
    assert pipe.out.endswith(b"errors: 1, replies: 3\n")
    assert sorted(run(OURS, str(path), "--scan").out.split()) == [b"a", b"p", b"q"]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    assert run(OURS, str(missing), "get", "a") == Outcome(
        1, b"", b"Could not open %b: No such file or directory\n" % bytes(missing)
    )
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"REDIS0010 nothing else")
    done = run(OURS, str(damaged), "get", "a")
    assert done.status == 1
    assert done.err.startswith(b"Could not open %b: cannot load" % bytes(damaged))


def test_tasks(tmp_path: Path) -> None:
    path = filled(tmp_path / "app.db")
    assert b"5 items" in run(OURS, str(path), "--bigkeys").out
    assert b"total               3" in run(OURS, "--keystats", str(path)).out
    assert run(OURS, "-n", "2", "--json", str(path), "get", "b").out == b'"2"\n'
    script = tmp_path / "script.lua"
    script.write_text("return redis.call('GET', KEYS[1])")
    assert run(OURS, str(path), "--eval", str(script), "a").out == b"1\n"
