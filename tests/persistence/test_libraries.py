"""Libraries of functions as texts: a log that has them does not lose them."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from support.servers import StartRedis
from support.wire import Word

from .appended import DIRECTORY, STEM, Logged, commands_of, put_log

ONE = b"#!lua name=one\nredis.register_function('f1', function() return 1 end)"
NEWER = b"#!lua name=one\nredis.register_function('f1', function() return 11 end)"
TWO = b"#!lua name=two\nredis.register_function('f2', function() return 2 end)"

Command = tuple[Word, ...]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(code: bytes) -> Command:
    return ("FUNCTION", "LOAD", code)


def libraries(*commands: Command) -> list[bytes]:
    put_log(*commands)
    logged = Logged()
    kept = snapshots_of(logged.engine).functions
    logged.close()
    return kept


@pytest.mark.parametrize(
    ("commands", "left"),
    [
        ([load(ONE), load(TWO)], [ONE, TWO]),
        ([load(ONE), load(TWO), ("function", "load", "replace", NEWER)], [NEWER, TWO]),
        ([load(ONE), load(TWO), ("FUNCTION", "DELETE", "one")], [TWO]),
        ([load(ONE), ("FUNCTION", "FLUSH"), load(TWO)], [TWO]),
        ([load(ONE), ("FUNCTION", "FLUSH", "ASYNC")], []),
        ([("MULTI",), ("SET", "a", 1), load(ONE), ("EXEC",), load(TWO)], [ONE, TWO]),
        ([load(ONE), ("FLUSHALL",)], [ONE]),
    ],
)
def test_commands_that_change_them(commands: list[Command], left: list[bytes]) -> None:
    assert libraries(*commands) == left


def test_a_transaction_that_is_cut_off_has_none() -> None:
    assert libraries(load(ONE), ("MULTI",), load(TWO)) == [ONE]


def test_an_unknown_command_in_a_transaction_is_no_library() -> None:
    put_log(("SET", "a", 1), ("MULTI",), load(ONE), ("DXEC",), ("SET", "b", 1))
    with pytest.raises(LoadError, match="Unknown command 'DXEC' reading the append only file"):
        Logged()


def test_what_cannot_be_is_reported() -> None:
    put_log(load(ONE), load(NEWER), load(b"nonsense"), ("FUNCTION", "DELETE", "x"), ("SET", 1, 1))
    logged = Logged()
    assert snapshots_of(logged.engine).functions == [ONE]
    critical = [line for line in logged.lines if "== CRITICAL ==" in line]
    assert [line.split("'")[1] for line in critical[1:]] == [
        "Missing library metadata",
        "Library not found",
    ]
    assert "'Library 'one' already exists' after" in critical[0]
    assert critical[0].endswith("the command 'function|load'")
    assert logged("DBSIZE") == 1
    logged.close()


@pytest.mark.parametrize("words", [("FUNCTION",), ("FUNCTION", "LOAD")])
def test_what_is_no_command_is_refused(words: Command) -> None:
    put_log(load(ONE), words)
    with pytest.raises(LoadError):
        Logged()


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_rewrite_keeps_them(preamble: str) -> None:
    put_log(load(ONE), ("SET", "a", 1), load(TWO))
    logged = Logged(aof_use_rdb_preamble=preamble)
    logged("BGREWRITEAOF")
    logged.close()
    base = logged.log.manifest.base
    assert base is not None
    text = (DIRECTORY / base.name).read_bytes()
    if preamble == "no":
        assert [words[2] for words in commands_of(text)[:2]] == [ONE, TWO]
    again = Logged()
    assert snapshots_of(again.engine).functions == [ONE, TWO]
    assert again("DEBUG", "LOADAOF") == b"OK"
    assert snapshots_of(again.engine).functions == [ONE, TWO]
    again.close()


def test_redis_server_finds_them_again(start_redis: StartRedis) -> None:
    source = start_redis("--save", "", "--appendonly", "yes", "--aof-use-rdb-preamble", "no")
    source.call("FUNCTION", "LOAD", ONE)
    payload = source.call("FUNCTION", "DUMP")
    assert isinstance(payload, bytes)
    source.call("FUNCTION", "FLUSH")
    source.call("FUNCTION", "RESTORE", payload)
    source.call("FUNCTION", "LOAD", TWO)
    source.call("SET", "a", 1)
    source.stop()
    (source.directory / "appendonlydir").rename(DIRECTORY)
    logged = Logged()
    assert snapshots_of(logged.engine).functions == [ONE, TWO]
    logged("BGREWRITEAOF")
    logged.close()
    target = start_redis("--save", "", "--dir", str(Path.cwd()), "--appendonly", "yes")
    assert target.call("FCALL", "f1", 0) == 1
    assert target.call("FCALL", "f2", 0) == 2
    assert target.call("GET", "a") == b"1"


def test_stops_at_a_command_that_fails_where_that_is_asked_for() -> None:
    commands: list[Command] = [("SET", "a", 1), ("LPUSH", "a", 1), ("SET", "b", 1)]
    for behaviour in ("ignore", "panic-on-replicas"):
        put_log(*commands)
        logged = Logged(propagation_error_behavior=behaviour)
        assert logged("DBSIZE") == 2
        logged.close()
    put_log(*commands)
    with pytest.raises(LoadError, match=r"This server panicked .* after .* command 'lpush'"):
        Logged(propagation_error_behavior="panic")
    put_log(("MULTI",), *commands, ("EXEC",))
    with pytest.raises(LoadError, match="after processing the command 'exec'"):
        Logged(propagation_error_behavior="panic")
    assert (DIRECTORY / f"{STEM}.1.incr.aof").stat().st_size
