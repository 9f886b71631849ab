"""Running the commands of a file again: formats, ends of files, errors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from carnelian.engine.engine import Engine
from carnelian.persistence.aof.replay import Misformatted, Replay, Truncated, UnknownCommand
from carnelian.persistence.rdb.loading import under_way
from support.local import LocalClient
from support.wire import request

SET = request("SET", "a", 1)


Run = Callable[[bytes], Replay]


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    def begin(text: bytes) -> Replay:
        path = tmp_path / "log"
        path.write_bytes(text)
        return Replay(engine, os.open(path, os.O_RDONLY), 0, len(text))

    return begin


def test_runs_commands(run: Run, client: LocalClient) -> None:
    text = SET + request("SELECT", 2) + request("RPUSH", "l", *range(100)) + request("INCR", "a")
    replayed = run(text)
    replayed.run()
    assert replayed.position == replayed.valid_up_to == len(text)
    assert client("GET", "a") == b"1"
    client("SELECT", 2)
    assert client("LLEN", "l") == 100
    assert client("GET", "a") == b"1"


def test_long_words_and_many_of_them(run: Run, client: LocalClient) -> None:
    long, longer = os.urandom(40_000), os.urandom(700_000)
    run(request("MSET", "a", long, "b", longer, "c", b"", "d", long[:32_768])).run()
    assert client("MGET", "a", "b", "c", "d") == [long, longer, b"", long[:32_768]]


def test_annotations_are_skipped(run: Run, client: LocalClient) -> None:
    run(b"#TS:1\r\n" + SET + b"#\r\n#" + b"x" * 900 + b"\r\n" + request("INCR", "a")).run()
    assert client("GET", "a") == b"2"


def test_numbers_are_taken_as_far_as_they_go(run: Run, client: LocalClient) -> None:
    run(b"*3x\n$3x\nSET\r\n$1 \r\na\r\n$1\r\n7..").run()
    assert client("GET", "a") == b"7"


def test_scripts_run_whatever_state_the_server_is_in(
    engine: Engine, run: Run, client: LocalClient
) -> None:
    client("SET", "big", "x" * 100_000)
    client("CONFIG", "SET", "maxmemory", 1, "min-replicas-to-write", 1)
    assert "OOM" in client.error("EVAL", "return redis.call('SET', 'a', 1)", 0)
    with under_way(engine, 1, lambda loading: None):
        run(request("EVAL", "return redis.call('INCR', KEYS[1])", 1, "a") * 2).run()
    assert client("GET", "a") == b"2"


@pytest.mark.parametrize("size", range(len(SET) + 1, 2 * len(SET)))
def test_a_cut_is_noticed_wherever_it_is(run: Run, size: int) -> None:
    replayed = run((SET * 2)[:size])
    with pytest.raises(Truncated):
        replayed.run()
    assert replayed.valid_up_to == len(SET)


@pytest.mark.parametrize(
    "text",
    [
        b"!!!", b"*0\r\n", b"*-1\r\n", b"*x\r\n", b"*\r\n", b"*1\r\n*1\r\n", b"*1\r\n$-1\r\n",
        request("GET"), request("SET", "a"), b"\r\n",
    ],
)  # fmt: skip
def test_what_is_no_command(run: Run, text: bytes) -> None:
    with pytest.raises(Misformatted):
        run(SET + text + SET).run()


@pytest.mark.parametrize("text", [b"*3\r\n$9999999999\r\na", b"*2000000000\r\n$1\r\n"])
def test_lengths_beyond_the_file_take_no_memory(run: Run, text: bytes) -> None:
    with pytest.raises(Truncated):
        run(SET + text).run()


def test_unknown_commands(run: Run) -> None:
    with pytest.raises(UnknownCommand) as caught:
        run(SET + request("BLA", "a")).run()
    assert str(caught.value) == "BLA"
    with pytest.raises(UnknownCommand):
        run(request("CLIENT", "BLA")).run()


def test_transactions(run: Run, client: LocalClient) -> None:
    text = request("MULTI") + SET + request("INCR", "a") + request("EXEC")
    run(text).run()
    assert client("GET", "a") == b"2"
    replayed = run(SET + request("MULTI") + request("SET", "a", 9))
    with pytest.raises(Truncated):
        replayed.run()
    assert replayed.valid_before_multi == len(SET)
    assert client("GET", "a") == b"1"


def test_a_command_that_fails_is_reported(run: Run, engine: Engine, client: LocalClient) -> None:
    lines: list[str] = []
    engine.log = lambda level, line: lines.append(line)
    run(SET + request("LPUSH", "a", 1) + request("SET", "b", 1)).run()
    assert lines == [
        "== CRITICAL == This server is sending an error to its AOF-loading-client: '-WRONGTYPE "
        "Operation against a key holding the wrong kind of value' after processing the command "
        "'lpush'"
    ]
    assert client("GET", "b") == b"1"


def test_nobody_waits(run: Run, client: LocalClient) -> None:
    run(request("BLPOP", "l", 0) + SET).run()
    assert client("GET", "a") == b"1"


def test_tells_how_far_it_is(run: Run) -> None:
    positions: list[int] = []
    replayed = run(SET * 3000)
    replayed.progress = positions.append
    replayed.run()
    assert positions == [0, 1024 * len(SET), 2048 * len(SET)]
