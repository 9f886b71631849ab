"""Scripts debugged over a connection: in a child process, or with the server standing still."""

from __future__ import annotations

import os
import pty
import select
import time
from pathlib import Path

import pytest

from support.servers import StartRedis, require
from support.waiting import wait_for
from support.wire import Reply, WireClient

from .conftest import Start
from .peers import ServerProcess

SCRIPT = "local a = 1\nredis.call('set', KEYS[1], ARGV[1])\nreturn redis.call('get', KEYS[1])"


def lines(reply: Reply) -> list[str]:
    return [item.text.decode("latin-1") for item in reply.items]


def begin(port: int, mode: str, script: str = SCRIPT) -> WireClient:
    client = WireClient(port)
    assert client.call("SCRIPT", "DEBUG", mode).text == b"OK"
    stopped = lines(client.call("EVAL", script, 1, "k", "v"))
    assert stopped[0].startswith("* Stopped at 1, ")
    return client


def is_over(client: WireClient) -> bool:
    try:
        client.call("PING")
    except (EOFError, OSError):
        return True
    return False


def test_a_forked_session_changes_nothing(server: ServerProcess) -> None:
    client, other = begin(server.port, "yes"), WireClient(server.port)
    other.call("SET", "k", "old")
    assert lines(client.call("step"))[0].startswith("* Stopped at 2, ")
    assert lines(client.call("c")) == ["<endsession>"]
    assert client.read().text == b"v"
    assert is_over(client)
    assert other.call("GET", "k").text == b"old"


def test_a_sync_session_changes_what_it_writes(server: ServerProcess) -> None:
    other = WireClient(server.port)
    other.call("SET", "k", "old")
    client = begin(server.port, "sync")
    other.send("GET", "k")
    assert lines(client.call("redis", "append", "k", "er"))[1] == "<reply> 5"
    assert lines(client.call("c")) == ["<endsession>"]
    assert client.read().text == b"v"
    assert is_over(client)
    assert other.read().text == b"v", "it had to wait"


@pytest.mark.parametrize("mode", ["yes", "sync"])
def test_who_leaves_lets_the_script_run_to_its_end(server: ServerProcess, mode: str) -> None:
    other = WireClient(server.port)
    other.call("DEL", "k")
    client = begin(server.port, mode)
    client.close()
    assert other.call("GET", "k").value == (b"v" if mode == "sync" else None)


@pytest.mark.parametrize("mode", ["yes", "sync"])
def test_a_script_that_does_not_end(start: Start, mode: str) -> None:
    server = start("--busy-reply-threshold", "50")
    client = begin(server.port, mode, "local a = 0\nwhile true do\n a = 1 end")
    assert lines(client.call("c"))[0].endswith("stop reason = timeout reached, infinite loop?")
    client.send("c")
    client.close()
    assert WireClient(server.port).call("PING").text == b"PONG"
    ended = "exiting" if mode == "yes" else "session ended"
    wait_for(lambda: ended in server.log)


def test_not_in_a_pipeline(server: ServerProcess) -> None:
    client = WireClient(server.port)
    client.send("PING")
    client.send("SCRIPT", "DEBUG", "yes")
    replies = [client.read(), client.read()]
    if replies[1].kind == b"-":  # unless both came one by one
        assert replies[1].text == b"ERR SCRIPT DEBUG must be called outside a pipeline"


def test_sessions_end_with_the_server(start: Start) -> None:
    server = start()
    client = begin(server.port, "yes")
    server.stop()
    assert is_over(client)
    assert "Killing debugging session" in server.log


def test_a_signal_ends_a_server_that_stands_still(start: Start) -> None:
    server = start()
    client = begin(server.port, "sync")
    server.stop()
    assert lines(client.read()) == ["<endsession>"]


def test_children_write_no_files(start: Start) -> None:
    server = start("--appendonly", "yes")
    other = WireClient(server.port)
    other.call("SET", "k", "old")
    client = begin(server.port, "yes", "redis.set_repl(0)\nredis.call('flushall')\nreturn 1")
    client.call("c")
    assert client.read().value == 1
    assert other.call("DEBUG", "LOADAOF").kind in b"+-"
    assert other.call("GET", "k").text == b"old"
    assert not list(server.directory.glob("*.rdb"))


CONVERSATION = [
    "s", "p", "p b", "p nope", "t", "l", "l 1 1", "w", "b", "b 4", "b 99", "b 3 x -9", "s", "s",
    "e a + 1", "e ARGV[1]", "r lpush k 1", "r nope 1", "r", "m", "m 5", "e ('x'):rep(99)", "b 0",
    "q",
]  # fmt: skip

DEBUGGED = """#!lua
local b = {1, 2, {x = 'y'}, -1.5, true, 'q\\0"'}
local function f(n)
  redis.debug(n, b)
  redis.breakpoint()
  return redis.pcall('lpush', KEYS[1], n)
end
redis.call('set', KEYS[1], 'v')
f(1)
return f(2)"""


@pytest.mark.parametrize("mode", ["yes", "sync"])
def test_it_says_what_redis_says(server: ServerProcess, start_redis: StartRedis, mode: str) -> None:
    said = []
    for port in (server.port, start_redis("--save", "").port):
        client = begin(port, mode, DEBUGGED.removeprefix("#!lua\n"))
        said.append([client.call(*command.split()) for command in CONVERSATION])
        while "<endsession>" not in lines(said[-1][-1]):
            said[-1].append(client.call("c"))
        said[-1].append(client.read())
        assert is_over(client)
    assert said[0] == said[1]


def test_redis_cli(server: ServerProcess, tmp_path: Path) -> None:
    require("redis-cli", "redis-tools")
    script = tmp_path / "script.lua"
    script.write_text(SCRIPT)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        words = ["-p", str(server.port), "--ldb", "--eval", str(script), "k", ",", "v"]
        os.execvp("redis-cli", ["redis-cli", *words])
    shown = _shown(terminal, "debugger> ")
    assert "Lua debugging session started" in shown
    for command, expected in (
        ("step", "Stopped at 2"),
        ("print", "<value> a = 1"),
        ("restart", "Stopped at 1"),
        ("continue", "Lua debugging session ended"),
        ("ping", "PONG"),
    ):
        os.write(terminal, command.encode() + b"\n")
        shown = _shown(terminal, "> ", expected)
        assert expected in shown, command
    os.write(terminal, b"quit\n")
    os.waitpid(pid, 0)
    os.close(terminal)


def _shown(terminal: int, *wanted: str) -> str:
    """What a terminal shows until it has shown all of these."""
    shown = ""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not all(part in shown for part in wanted):
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown
