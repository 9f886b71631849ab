"""Holes that scripts had in Lua 5.1 and in Redis, each as a small script: none leads anywhere."""

from __future__ import annotations

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from support.local import LocalClient


def alive(client: LocalClient) -> None:
    assert client("EVAL", "return {1, redis.call('ping'), ('x'):rep(2)}", 0) == [1, b"PONG", b"xx"]


@pytest.mark.parametrize(
    "script",
    [
        # CVE-2015-4335 and others: bytecode, in all ways in.
        "return loadstring(string.dump(function() end))",
        "local y = coroutine.yield "
        "return load(coroutine.wrap(function() y('\\27') y('Lua') end))",
        "return loadstring(' \\27Lua')",
        # CVE-2018-11218, -11219, CVE-2024-31449: cmsgpack, struct and bit.
        "return cmsgpack.unpack(('\\221\\255\\255\\255\\255'):rep(3))",
        "local t = {} for i = 1, 7000 do t[i] = i end return #cmsgpack.pack(unpack(t))",
        "return struct.pack('>I2147483648', 10)",
        "return struct.unpack('c9223372036854775807', 'abc')",
        "return bit.tohex(65535, -2147483648)",
        # CVE-2020-14147, CVE-2021-32626, CVE-2021-32672: stacks, in replies and in the debugger.
        "local t = {} for i = 1, 7990 do t[i] = 'x' end return redis.pcall(unpack(t))",
        "local t for i = 1, 100000 do t = {t} end return t",
        "return cjson.decode(('[1,'):rep(5000))",
        "local function f(n) return select('#', unpack({}, 1, n)) end return f(7900) + f(8100)",
        # CVE-2022-0543: the way out by `package`.
        "return package.loadlib('liblua5.1.so.0', 'luaopen_io')",
        # CVE-2022-24736: nothing where something is expected.
        "return redis.sha1hex(nil)",
        "return redis.log(3, nil)",
        "return redis.setresp(nil)",
        "return redis.call(nil)",
        "return redis.error_reply(nil)",
        "return redis.acl_check_cmd(nil)",
        # CVE-2025-46817: the bounds of unpack.
        "return {unpack({1, 2}, -2, 2^31 - 1)}",
        "return unpack({}, -2147483648, 2147483647)",
        "return unpack({}, 0, 2147483647)",
        "return unpack({}, 2147483646, 2147483647)",
        # CVE-2025-46818: metatables of what is no table.
        "return getmetatable(1)",
        "getmetatable('').__index = function() return redis end",
        "getmetatable('').__add = function() end",
        "getmetatable(nil).x = 1",
        "getmetatable(cjson.null).x = 1",
        "getmetatable(function() end).x = 1",
        "getmetatable(coroutine.create(function() end)).x = 1",
        # CVE-2025-46819: long delimiters.
        "return loadstring('return [' .. ('='):rep(1e6) .. '[x')",
        "return loadstring('--[' .. ('='):rep(1e6) .. '[x')",
        # CVE-2025-49844: the name of a chunk goes while it is parsed.
        "for i = 1, 50 do loadstring('x = ' .. ('a .. '):rep(150) .. 'b', 'n' .. i) "
        "collectgarbage() end",
        # CVE-2014-5461: too few arguments for a function with dots.
        "local f = loadstring('local ' .. ('a,'):rep(190) .. 'b = ... return ...') "
        "for i = 1, 50 do coroutine.wrap(f)() end",
        # Patterns that nest as deep as they are long.
        "return ('a'):find(('a?'):rep(300000))",
        "return ('a'):match(('a*'):rep(300000))",
        "return ('a'):gsub(('a-'):rep(300000), '')",
        "return ('a'):gmatch(('.+'):rep(300000))()",
        "return ('a'):find(('('):rep(40))",
        "return ('a'):find('%')",
        "return ('a'):find('[a')",
        "return ('a'):gsub('a', '%9')",
        "return ('a'):find('%f')",
        # Loops of C that nothing ends.
        "table.insert({1, 2, 3}, -2^31, 1)",
        "table.insert({}, 1e300, 1)",
        "table.insert({}, 0/0, 1)",
        "local t = {} table.insert(t, '-2e9', 1)",
        "return (''):rep(2^31 - 1)",
        "return table.concat({}, ',', -2^31, 2^31 - 1)",
        "return table.remove({}, -2^31)",
        # Finalizers and other metamethods that run at odd times.
        "return tostring(setmetatable({}, {__tostring = function() return {} end}))",
        "return #setmetatable({}, {__len = function() return 1e300 end})",
        "local t = setmetatable({}, {__eq = error, __lt = error}) return t < t",
        "return table.sort({3, 2, 1, 5, 4}, function() return true end)",
        "return table.concat(setmetatable({}, {__index = function() return 'x' end}), ',', 1, 3)",
        # Coroutines around commands.
        "return coroutine.wrap(redis.call)('ping')",
        "return {coroutine.resume(coroutine.create(redis.call), 'nope')}",
        "return coroutine.wrap(function() return coroutine.wrap(redis.pcall)('get') end)()",
        "local c c = coroutine.wrap(function() c() end) c()",
        "return coroutine.resume(coroutine.running() or coroutine.create(function() end))",
        "return redis.call(coroutine.create(function() end))",
        "return coroutine.yield(1)",
        "return {pcall(coroutine.yield)}",
        "return table.sort({1, 2, 3}, coroutine.yield)",
    ],
)  # fmt: skip
def test_holes(client: LocalClient, script: str) -> None:
    client("EVAL", script, 0)
    alive(client)
    assert client("EVAL", "return getmetatable('').__add or 'none'", 0) == b"none"


def test_scripts_share_nothing(client: LocalClient) -> None:
    """CVE-2022-24735: what one script leaves behind, another one with more rights would run."""
    for script in (
        "string.rep = function() return 'owned' end",
        "redis.call = function() return 'owned' end",
        "rawset(_G, 'tostring', function() return 'owned' end)",
        "for _, lib in pairs(_G) do if type(lib) == 'table' then lib.x = 1 end end",
        "getmetatable(_G).__index = nil",
        "table.setn(_G, 1)",
        "table.remove(redis)",
        "table.sort(_G)",
        "KEYS = nil ARGV = nil",
        "coroutine.wrap(function() tostring = nil end)()",
    ):
        client("EVAL", script, 0)
    script = "return {('a'):rep(1), tostring(1), redis.call('ping'), type(KEYS), type(string)}"
    assert client("EVAL", script, 0) == [b"a", b"1", b"PONG", b"table", b"table"]


@pytest.fixture
def deprecated() -> LocalClient:
    """A client of an engine whose scripts have what was withdrawn."""
    config = Config()
    config.load_text("lua-enable-deprecated-api yes")
    return LocalClient(Engine(config))


@pytest.mark.parametrize(
    "script",
    [
        "setfenv(0, {})",
        "setfenv(redis.call, {})",
        "setfenv(getfenv, {})",
        "getfenv(0).redis = 1",
        "getfenv(redis.call).redis = 1",
        "getfenv(1).redis = 1",
        "getfenv(pairs).string.rep = 1",
        "setfenv(0.2, {})",
        "setfenv('0', {})",
        "newproxy(1)",
        "newproxy({})",
    ],
)
def test_withdrawn_functions_lead_nowhere(deprecated: LocalClient, script: str) -> None:
    assert deprecated.error("EVAL", script, 0)
    alive(deprecated)


def test_finalizers_do_not_run(deprecated: LocalClient) -> None:
    """CVE-2024-46981: they would run when the state ends, and after that there is nothing."""
    script = (
        "local p = newproxy(true) getmetatable(p).__gc = function() redis.call('set', 'k', 1) end "
        "p = newproxy(p) p = nil collectgarbage() for i = 1, 100 do newproxy(true) end"
    )
    deprecated("EVAL", script, 0)
    deprecated("EVAL", "collectgarbage()", 0)
    deprecated("SCRIPT", "FLUSH")
    assert deprecated("GET", "k") is None
    alive(deprecated)


def test_a_script_that_is_interrupted_in_a_coroutine_runs_no_more_commands(
    client: LocalClient,
) -> None:
    host = client.engine.scripting
    assert host is None
    client("EVAL", "return 1", 0)
    script = (
        "local inner = coroutine.wrap(function() while true do end end) "
        "local outer = coroutine.wrap(function() pcall(inner) redis.call('set', 'a', 1) end) "
        "pcall(outer) redis.call('set', 'b', 1)"
    )
    runs = client.engine.scripting.host
    original = runs.on_interval

    def kill() -> None:
        runs.killed = True

    runs.on_interval = kill
    try:
        assert "killed by user" in client.error("EVAL", script, 0)
    finally:
        runs.on_interval = original
    assert client("EXISTS", "a", "b") == 0
    alive(client)
