"""Conversations through a real terminal."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.servers import ReferenceServer
from support.waiting import wait_for

from .programs import OURS, THEIRS, require_prompt_toolkit, run
from .terminals import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Start carnelian-cli with words in a terminal."""
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        opened.append(
            Terminal(*OURS, *words, HOME=str(tmp_path), CARNELIAN_CLI_HISTORY=str(tmp_path / "h"))
        )
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_a_person(terminal: Open, redis_server: ReferenceServer, tmp_path: Path) -> None:
    require_prompt_toolkit()
    where = f"127.0.0.1:{redis_server.port}"
    person = terminal("-p", str(redis_server.port))
    person.wait_for(f"{where}>")
    person.type("hgetall hash\r")
    person.wait_for("field  value\n")
    person.wait_for("b      two\n")
    person.type("select 4\r")
    person.wait_for(f"{where}[4]>")
    person.type("subscribe news\r")
    person.wait_for("Reading messages... (press Ctrl-C to quit)\n")
    person.wait_for("(integer) 1\n")
    redis_server.call("PUBLISH", "news", "extra")
    person.wait_for('3) "extra"\n')
    person.type("\x03")
    person.wait_for(f"{where}[4]>")
    person.type("blpop nokey 0\r")
    wait_for(lambda: "blocked_clients:1" in str(redis_server.call("INFO", "clients")))
    person.type("\x03")
    person.wait_for(f"{where}[4]>")
    person.type("\\watch 0.05 incr watched\r")
    person.wait_for("Every 0.05s: incr watched")
    person.wait_for("(integer) 3")
    person.type("\x03")
    person.wait_for(f"{where}[4]>")
    person.type("\x04")
    assert person.wait() == 0
    assert (tmp_path / "h").read_text().splitlines()[0] == "hgetall hash"


def test_without_prompt_toolkit(terminal: Open, redis_server: ReferenceServer) -> None:
    where = f"127.0.0.1:{redis_server.port}"
    person = terminal("-p", str(redis_server.port), "--plain-prompt")
    person.wait_for(f"{where}> ")
    person.type("hgetall hash\r")
    person.wait_for('1) "a"\n2) "1"\n3) "b"\n4) "two"\n')
    person.type("debug sleep 0.6\r")
    person.wait_for("OK\n(0.6")
    person.type("hello 3\r")
    person.wait_for("7# ")
    for line in ("client tracking on", "get string:1", "set string:1 new", "get string:1"):
        person.type(f"{line}\r")
    person.wait_for("-> invalidate: 'string:1'\n")
    person.type("nosuch\r")
    person.wait_for("(error) ERR unknown command")
    person.type("quit\r")
    assert person.wait() == 0


def test_the_server_comes_back(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    server = ReferenceServer(tmp_path / "redis", ("--save", ""))
    person = terminal("-p", str(server.port), "--plain-prompt")
    try:
        person.wait_for("> ")
        person.type("select 5\r")
        person.wait_for("[5]> ")
        server.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        # That was noticed before anything was sent.
        person.type("incr counter\r")
        person.wait_for("(integer) 1\n")
        person.wait_for("[5]> ")
    finally:
        server.stop()
    person.type("incr counter\r")
    person.wait_for("Connection refused\n")
    person.wait_for("not connected> ")
    person.type("quit\r")
    assert person.wait() == 0


def test_single_commands_are_for_people(terminal: Open, redis_server: ReferenceServer) -> None:
    person = terminal("-p", str(redis_server.port), "lrange", "list:2", "0", "-1")
    assert person.wait() == 0
    assert person.seen == '1) "0"\n2) "1"\n'


@pytest.mark.parametrize(
    "options", [(), ("-3",), ("--no-raw",), ("--raw",), ("--csv",), ("--json",), ("-3", "--json")]
)
def test_texts_as_redis_cli_shows_them(
    redis_server: ReferenceServer, options: tuple[str, ...]
) -> None:
    """On a terminal and on a pipe."""
    for code in ("ODD:#ONE x", "LONE", "NOKEY there is none"):
        run(THEIRS, "-p", str(redis_server.port), "eval", "return {err=ARGV[1]}", "0", code)
    for words in (("INFO", "errorstats"), ("info", "Keyspace"), ("client", "no-such")):
        place = ("-p", str(redis_server.port), *options, *words)
        ours, theirs = run(OURS, *place), run(THEIRS, *place)
        assert ours.out == theirs.out
        assert ours.out
        shown = []
        for program in (OURS, THEIRS):
            person = Terminal(*program, *place)
            try:
                person.wait()
            finally:
                person.close()
            shown.append(person.raw)
        # Another error is counted each time.
        ours_raw, theirs_raw = (re.sub(rb"ERR:count=\d+", b"", text) for text in shown)
        assert ours_raw == theirs_raw


def test_monitor_ends_with_ctrl_c(terminal: Open, redis_server: ReferenceServer) -> None:
    person = terminal("-p", str(redis_server.port), "monitor")
    person.wait_for("OK\n")
    redis_server.call("ECHO", "said")
    person.wait_for('"ECHO" "said"\n')
    person.type("\x03")
    assert person.wait() == 130


def test_stepping_through_a_script(
    terminal: Open, redis_server: ReferenceServer, tmp_path: Path
) -> None:
    script = tmp_path / "script.lua"
    script.write_text("local a = ARGV[1]\nredis.call('set', KEYS[1], a)\nreturn a\n")
    where = ("-p", str(redis_server.port), "--plain-prompt")
    person = terminal(*where, "--ldb", "--eval", str(script), "stepped", ",", "7")
    person.wait_for("-> 1   local a = ARGV[1]\n")
    assert b"\x1b[0;33;49m-> 1" in person.raw
    for line in ("s", "s", "p a"):
        person.wait_for("lua debugger> ")
        person.type(f"{line}\r")
    person.wait_for('<value> "7"\n')
    person.type("restart\r")
    person.wait_for("-> 1 ")
    person.wait_for("lua debugger> ")
    person.type("c\r")
    person.wait_for('\n"7"\n\n(Lua debugging session ended -- dataset changes rolled back)\n\n')
    person.wait_for("> ")
    person.type("exists stepped\r")
    person.wait_for("(integer) 0\n")
    person.type("quit\r")
    assert person.wait() == 0


def test_a_file(terminal: Open, tmp_path: Path) -> None:
    person = terminal("--write", str(tmp_path / "app.db"), "--plain-prompt")
    person.wait_for(f"{tmp_path}/app.db: 0 keys, open for changes\n")
    person.type("set a 1\r")
    person.wait_for("OK\n")
    person.wait_for("app.db> ")
    person.type("\x04")
    assert person.wait() == 0
    person = terminal(str(tmp_path / "app.db"), "--plain-prompt")
    person.wait_for(": 1 keys, read-only (--write opens it for changes)\n")
    person.type("get a\r")
    person.wait_for('"1"\n')


def test_latency_for_people(terminal: Open, redis_server: ReferenceServer) -> None:
    person = terminal("-p", str(redis_server.port), "--latency-history", "-i", "0.2")
    person.wait_for(" seconds range\n")
    person.wait_for(" samples)")
    os.kill(person.pid, signal.SIGINT)
    assert person.wait() == 130
    assert re.search(
        r"min: \d+, max: \d+, avg: \d+\.\d\d \(\d+ samples\) -- 0\.\d\d sec", person.seen
    )
