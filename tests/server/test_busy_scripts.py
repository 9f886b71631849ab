"""Scripts that take long: others are told so, and may end them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.waiting import wait_for
from support.wire import request

from .conftest import Start
from .peers import ServerProcess

BUSY = b"-BUSY Redis is busy running a script. You can only call %b KILL or SHUTDOWN NOSAVE."
LIBRARY = "#!lua name=lib\nredis.register_function('loop', function() while true do end end)"
KILLED = b"-ERR Script killed by user with SCRIPT KILL..."


def busy(other: object) -> None:
    wait_for(lambda: other.call("PING").startswith(b"-BUSY"))  # type: ignore[attr-defined]


@pytest.fixture
def impatient(start: Start) -> ServerProcess:
    return start("--busy-reply-threshold", "10")


@pytest.mark.parametrize(
    "script",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "local f = coroutine.wrap(function() while true do pcall(error) end end) "
        "while true do pcall(f) end",
        "local function loop() while true do end end while true do xpcall(loop, loop) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local function f() while true do pcall(coroutine.wrap(f)) end end f()",
        "while true do coroutine.wrap(function() for i = 1, 5e4 do end end)() end",
        "local function f() for i = 1, 5e4 do end end "
        "while true do coroutine.resume(coroutine.create(f)) end",
        "while true do redis.pcall('get', 'x') end",
        "while true do string.gsub('x', 'x', function() while true do end end) end",
    ],
)
def test_a_script_is_killed(impatient: ServerProcess, script: str) -> None:
    client, other = impatient.connect(), impatient.connect()
    client.send(request("EVAL", script, "0") + request("PING"))
    busy(other)
    assert other.call("GET", "x") == BUSY % b"SCRIPT"
    assert other.call("FUNCTION", "KILL") == BUSY % b"SCRIPT"
    assert other.call("SHUTDOWN") == BUSY % b"SCRIPT"
    assert other.call("MULTI") == b"+OK"
    assert other.call("DISCARD") == b"+OK"
    assert other.call("SCRIPT", "KILL") == b"+OK"
    assert client.reply().startswith(KILLED)
    assert client.reply() == b"+PONG"
    assert other.call("EVAL", "return 1", "0") == 1
    assert "Slow script detected" in impatient.log


def test_a_function_is_killed(impatient: ServerProcess) -> None:
    client, other = impatient.connect(), impatient.connect()
    client.call("FUNCTION", "LOAD", LIBRARY)
    client.send(request("FCALL", "loop", "0"))
    busy(other)
    assert other.call("PING") == BUSY % b"FUNCTION"
    assert other.call("SCRIPT", "KILL") == BUSY % b"FUNCTION"
    stats = other.call("FUNCTION", "STATS")
    assert stats[1][:4] == [b"name", b"loop", b"command", [b"FCALL", b"loop", b"0"]]
    assert other.call("FUNCTION", "KILL") == b"+OK"
    assert client.reply().startswith(KILLED)


def test_what_has_written_is_not_killed(impatient: ServerProcess) -> None:
    client, other = impatient.connect(), impatient.connect()
    client.send(request("EVAL", "redis.call('set', 'x', 1) while true do end", "0"))
    busy(other)
    assert other.call("SCRIPT", "KILL").startswith(b"-UNKILLABLE Sorry the script already")
    other.send(request("SHUTDOWN", "NOSAVE"))
    assert impatient.process.wait(10) == 0
    assert "CRASH REPORT" not in impatient.log


def test_a_client_that_leaves_does_not_end_its_script(impatient: ServerProcess) -> None:
    client, other = impatient.connect(), impatient.connect()
    client.send(request("EVAL", "while true do end", "0"))
    busy(other)
    client.close()
    assert other.call("PING").startswith(b"-BUSY")
    assert other.call("SCRIPT", "KILL") == b"+OK"
    assert other.call("PING") == b"+PONG"


def test_nothing_else_happens_meanwhile(start: Start) -> None:
    server = start("--busy-reply-threshold", "10", "--appendonly", "yes", "--hz", "100")
    client, other, third = server.connect(), server.connect(), server.connect()
    other.send(request("BLPOP", "list", "0.05"))
    client.call("SET", "fleeting", "v", "PX", "250")
    script = (
        "redis.call('rpush', 'list', 1) local n = 0 "
        "while n < 6e7 do n = n + 1 end redis.call('del', 'list') "
        "return redis.call('get', 'fleeting')"
    )
    client.send(request("EVAL", script, "0"))
    busy(third)
    assert client.reply() == b"v"
    assert other.reply() is None
    log = b"".join(path.read_bytes() for path in Path(server.directory).rglob("*.aof"))
    assert log.index(b"MULTI") < log.index(b"rpush") < log.index(b"EXEC")
