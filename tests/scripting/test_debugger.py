"""The debugger of scripts: what it says, line by line, and what it does with the script."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from carnelian.engine.engine import Engine
from carnelian.scripting.debugger.debug_requests import RequestError, Requests
from carnelian.scripting.scripting_core import scripting_of
from support.local import LocalClient
from support.wire import request

UNKNOWN = "<error> Unknown Redis Lua debugger command or wrong number of arguments."


class Script:
    """A script under the debugger, and the console of somebody who has decided on all commands."""

    def __init__(self, client: LocalClient, source: str, *commands: str | bytes, mode: str = "yes"):
        self.said: list[list[str]] = []
        self.opened: list[bool] = []
        self._commands = list(commands)
        self._client = client
        scripting_of(client.engine).debug_carrier = self
        assert client("SCRIPT", "DEBUG", mode) == b"OK"
        self.reply = client("EVAL", source, 1, "the key", "the argument")

    # -- The carrier -------------------------------------------------------------------------------

    def carries(self, session: object) -> bool:
        return session is self._client.session

    def has_output(self, session: object) -> bool:
        return False

    def open(self, session: object, forked: bool) -> Script:
        self.opened.append(forked)
        return self

    # -- The console -------------------------------------------------------------------------------

    def send(self, lines: list[bytes]) -> None:
        self.said.append([line.decode("latin-1") for line in lines])

    def receive(self) -> bytes:
        if not self._commands:
            return b""
        command = self._commands.pop(0)
        return command if isinstance(command, bytes) else request(*command.split())

    def finish(self, reply: Any) -> Any:
        return reply


LINES = """local a = 1
local b = {1, 2, {x = 'y'}}
redis.call('set', KEYS[1], 'v')
local e = redis.pcall('lpush', KEYS[1], a)
return redis.call('get', KEYS[1])

"""


def test_step_by_step(client: LocalClient) -> None:
    script = Script(client, LINES, "s", "NEXT", "p", "step", "n", "trace", "s")
    assert script.said == [
        ["* Stopped at 1, stop reason = step over", "-> 1   local a = 1"],
        ["* Stopped at 2, stop reason = step over", "-> 2   local b = {1, 2, {x = 'y'}}"],
        ["* Stopped at 3, stop reason = step over", "-> 3   redis.call('set', KEYS[1], 'v')"],
        ["<value> a = 1", '<value> b = {1; 2; {["x"]="y"}}'],
        [
            "<redis> set the key v",
            '<reply> "+OK"',
            "* Stopped at 4, stop reason = step over",
            "-> 4   local e = redis.pcall('lpush', KEYS[1], a)",
        ],
        [
            "<redis> lpush the key 1",
            "<error> -WRONGTYPE Operation against a key holding the wrong kind of value",
            '<reply> "-WRONGTYPE Operation against a key holding the wrong kind of value"',
            "* Stopped at 5, stop reason = step over",
            "-> 5   return redis.call('get', KEYS[1])",
        ],
        ["In top level:", "-> 5   return redis.call('get', KEYS[1])"],
        ["<redis> get the key", '<reply> "v"', "<endsession>"],
    ]
    assert script.reply == b"v"
    assert script.opened == [True]
    assert client("EVAL", "return redis.breakpoint()", 0) is None, "the session is over"


NESTED = """local x = ARGV[1]

local function f(n)
  local y = n
  redis.breakpoint()
  redis.debug(y, 'a', {1, 2}, nil, true, 1.5)
  return y
end
local z = f(3)
return z"""


def test_breakpoints(client: LocalClient) -> None:
    commands = ("b", "b 4", "b 50", "b 2 x -9", "b", "c", "t", "b -4", "b -4", "c", "b 0", "b", "c")
    script = Script(client, NESTED, *commands)
    assert script.said[1:] == [
        ["No breakpoints set. Use 'b <line>' to add one."],
        ["   3   local function f(n)", "  #4     local y = n", "   5     redis.breakpoint()"],
        ["Wrong line number."],
        [
            "-> 1   local x = ARGV[1]",
            "  #2   ",
            "   3   local function f(n)",
            "Invalid argument:'x'",
            "No breakpoint in the specified line.",
        ],
        ["2 breakpoints set:", "  #4     local y = n", "  #2   "],
        ["* Stopped at 4, stop reason = break point", "->#4     local y = n"],
        ["In f:", "->#4     local y = n", "From top level:", "   9   local z = f(3)"],
        ["Breakpoint removed."],
        ["No breakpoint in the specified line."],
        [
            "* Stopped at 6, stop reason = redis.breakpoint() called",
            "-> 6     redis.debug(y, 'a', {1, 2}, nil, true, 1.5)",
        ],
        ["All breakpoints removed."],
        ["No breakpoints set. Use 'b <line>' to add one."],
        ['<debug> line 6: 3, "a", {1; 2}, nil, true, 1.5', "<endsession>"],
    ]
    assert script.reply == 3


def test_no_more_breakpoints_than_there_may_be(client: LocalClient) -> None:
    source = "\n" * 70 + "return 1"
    script = Script(client, source, *[f"b {line}" for line in range(1, 66)], "c")
    assert script.said[65] == ["Too many breakpoints set."]


AROUND_4 = [
    f"{'->#' if number == 4 else '   '}{number:<3} {line}"
    for number, line in enumerate(NESTED.splitlines()[:9], 1)
]
MISSING = "Script attempted to access nonexistent global variable"
DEEP = "<max recursion level reached! Nested table?>"
HINT = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."
MORE = "... (1 more)"
NULLS = "<reply> [" + ",".join(["NULL"] * 11) + "]"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("p nothing", ["No such variable."]),
        ("p n", ["<value> 3"]),
        ("p x", ['<value> "the argument"']),
        ("p KEYS", ['<value> {"the key"}']),
        ("p ARGV", ['<value> {"the argument"}']),
        ("print", ["<value> n = 3"]),
        ("l", AROUND_4),
        ("list 1 1", ["   1   local x = ARGV[1]", "   2   "]),
        ("l 0 0", ["->#4     local y = n"]),
        ("l 99", []),
        ("m", ["<value> replies are truncated at 256 bytes."]),
        ("maxlen 5", ["<value> replies are truncated at 60 bytes."]),
        ("m 0", ["<value> replies are unlimited."]),
        ("e n + 1", [f"<error> ldb_eval:1: {MISSING} 'n'"]),
        ("eval 1 + 1", ["<retval> 2"]),
        ("e local t = {} t[1] = t return t", ["<retval> " + "{" * 10 + DEEP + "}" * 10]),
        ("e error({1})", ["<error> {1}"]),
        ("e =", ["<error> ldb_eval:1: unexpected symbol near '='"]),
        ("e ('x'):rep(300)", ['<retval> "' + "x" * 246 + " ...", HINT]),
        ("e cjson.null", ['<retval> "light-userdata@0x0"']),
        ("r set k v", ["<redis> set k v", '<reply> "+OK"']),
        ("redis nope", ["<redis> nope", "<error> Unknown Redis command called from script"]),
        ("r incrby n 4", ["<redis> incrby n 4", "<reply> 4"]),
        ("r get none", ["<redis> get none", "<reply> NULL"]),
        ("r mget a b c d e f g h i j k", [f"<redis> mget a b c d e f g h i {MORE}", NULLS]),
        ("r", [UNKNOWN]),
        ("quit", [UNKNOWN]),
    ],
)  # fmt: skip
def test_what_can_be_asked(client: LocalClient, command: str, said: list[str]) -> None:
    script = Script(client, NESTED, "b 4", "c", command, "b 0", "c", "c")
    assert script.said[3] == said
    assert script.reply == 3


def test_replies_in_resp3(client: LocalClient) -> None:
    client("HSET", "h", "a", "1")
    client("SADD", "s", "m")
    client("ZADD", "z", "1.5", "a")
    source = "redis.setresp(3)\nreturn 1"
    script = Script(
        client, source, "s", "r hgetall h", "r smembers s", "r zscore z a", "r get none", "c"
    )
    assert [lines[-1] for lines in script.said[2:6]] == [
        '<reply> {"a" => "1"}',
        '<reply> ~("m")',
        "<reply> (double) 1.5",
        "<reply> (null)",
    ]


def test_abort_and_what_it_ends_with(client: LocalClient) -> None:
    source = "local a = 1\nreturn redis.call('incr', KEYS[1])"
    script = Script(client, source, "a")
    name = hashlib.sha1(source.encode()).hexdigest()
    text = f"ERR script aborted for user request script: {name}, on @user_script:1."
    assert str(script.reply) == text
    assert client("GET", "the key") is None
    assert script.said[-1] == ["<endsession>"]
    assert client("EVALSHA", name, 1, "the key") == 1, "the script is known"


def test_nobody_there_any_more(client: LocalClient) -> None:
    script = Script(client, "redis.breakpoint()\nreturn redis.call('set', KEYS[1], 'v')", "b 2")
    assert script.reply == b"OK"
    assert script.said[-1] == ["<endsession>"]
    assert client("GET", "the key") == b"v"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("return (", "ERR Error compiling script (new function): user_script:1: "),
        ("#!nope\nreturn 1", "ERR Unexpected engine in script shebang: #!nope"),
        ("return redis.call('nope')", "ERR Unknown Redis command called from script script: "),
        ("error('boom')", "ERR user_script:1: boom script: "),
    ],
)
def test_scripts_that_fail(client: LocalClient, source: str, error: str) -> None:
    script = Script(client, source, "c")
    assert str(script.reply).startswith(error)
    assert script.said[-1] == ["<endsession>"]


def test_what_is_no_request(client: LocalClient) -> None:
    script = Script(client, "return 1", b"nonsense\r\n", "c")
    assert str(script.reply).startswith("ERR protocol error script: ")


def test_coroutines(client: LocalClient) -> None:
    source = (
        "local c = coroutine.wrap(function()\n local i = 5\n coroutine.yield(i)\nend)\nreturn c()"
    )
    script = Script(client, source, "b 3", "c", "p", "t", "c")
    assert script.said[2:5] == [
        ["* Stopped at 3, stop reason = break point", "->#3    coroutine.yield(i)"],
        ["<value> i = 5"],
        ["In top level:", "->#3    coroutine.yield(i)"],
    ]
    assert script.reply == 5


def test_values_without_end_are_cut(client: LocalClient) -> None:
    wide = "local t = {} t[1], t[2], t[3], t[4] = t, t, t, t\nreturn 1"
    script = Script(client, wide, "s", "m 0", "p t", "c")
    assert len(script.said[3][0]) < 17 << 20
    script = Script(client, wide, "s", "p t", "c")
    assert len(script.said[2][0]) == 260


def test_modes(client: LocalClient, engine: Engine) -> None:
    assert client.error("SCRIPT", "DEBUG", "yes").startswith("ERR scripts can be debugged over")
    assert client("SCRIPT", "DEBUG", "no") == b"OK"
    assert client.error("SCRIPT", "DEBUG", "nope") == "ERR Use SCRIPT DEBUG YES/SYNC/NO"
    assert Script(client, "return 1", "c", mode="sync").opened == [False]
    client("SCRIPT", "DEBUG", "yes")
    text = "ERR Please use EVAL instead of EVALSHA for debugging"
    assert client.error("EVALSHA", "f" * 40, 0) == text
    client("MULTI")
    client("EVAL", "return 1", 0)
    (reply,) = client("EXEC")
    assert str(reply).startswith("ERR scripts cannot be debugged within a transaction")
    assert LocalClient(engine)("EVAL", "return redis.breakpoint()", 0) is None
    client("SCRIPT", "DEBUG", "no")
    assert client("EVAL", "return 1", 0) == 1
    client("SCRIPT", "DEBUG", "yes")
    client.session.close()
    assert scripting_of(engine).debugged is None


def test_requests_come_in_pieces() -> None:
    requests = Requests()
    for piece in (b"*2", b"\r\n$", b"1\r\ns\r", b"\n$3\r\na\0"):
        assert requests.take(piece) is None
    assert requests.take(b"b\r\n") == [b"s", b"a\0b"]
    assert requests.take(b"*1\r\n$1\r\nc\r\n*1\r\n$1\r\nd\r\n") == [b"c"], "the rest is dropped"
    assert requests.take(b"*1\r\n$1\r\ne\r\n") == [b"e"]


@pytest.mark.parametrize(
    "text",
    [
        b"PING\r\n", b"*0\r\n", b"*-1\r\n", b"*1025\r\n", b"*1\r\nx", b"*1\r\n$0\r\n",
        b"*1\r\n$1025\r\n", b"*1\r\n$1\r\nabc\r\n", b"*99999999999", b"*" + b"1" * (1 << 20),
    ],
)  # fmt: skip
def test_what_is_no_command(text: bytes) -> None:
    with pytest.raises(RequestError):
        Requests().take(text)
