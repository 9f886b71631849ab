"""What scripts must not get at, and what must not get at us."""

from __future__ import annotations

import pytest

from support.local import LocalClient

PROTECTED = "Attempt to modify a readonly table"


@pytest.mark.parametrize(
    "script",
    [
        "setmetatable(_G, {})",
        "getmetatable(_G).__index = {}",
        "redis = 1",
        "_G = {}",
        "_G.x = 1",
        "redis.call = 1",
        "server.call = 1",
        "cjson.encode = 1",
        "string.rep = 1",
        "math.random = 1",
        "os.clock = 1",
        "getmetatable('').__index = 1",
        "rawset(_G, 'x', 1)",
        "rawset(redis, 'call', 1)",
        "rawset(string, 'rep', 1)",
        "table.insert(redis, 1)",
        "table.insert(_G, 1)",
        "setmetatable(redis, {})",
        "for k, v in pairs(_G) do if k == 'redis' then v.call = 1 end end",
        "rawget(_G, 'redis').call = 1",
        "local _, v = next(_G) getmetatable('').__index.rep = 1",
        "coroutine.wrap(function() redis.call = 1 end)()",
        "table.foreach(_G, function(k, v) if k == 'redis' then v.x = 1 end end)",
        "xpcall(function() redis.x = 1 end, function(e) error(e) end) redis.x = 1",
    ],
)
def test_tables_that_cannot_be_changed(client: LocalClient, script: str) -> None:
    assert PROTECTED in client.error("EVAL", script, 0)
    assert client("EVAL", "return redis.call('ping')", 0) == b"PONG"
    assert client("EVAL", "return ('x'):rep(2)", 0) == b"xx"


@pytest.mark.parametrize(
    "name",
    [
        "loadfile", "dofile", "print", "require", "module", "newproxy", "getfenv", "setfenv",
        "io", "debug", "package", "jit",
    ],
)  # fmt: skip
def test_globals_that_there_are_not(client: LocalClient, name: str) -> None:
    assert f"nonexistent global variable '{name}'" in client.error("EVAL", f"return {name}", 0)
    assert client("EVAL", f"return rawget(_G, '{name}')", 0) is None


def test_of_os_there_is_the_clock_alone(client: LocalClient) -> None:
    script = "local t = {} for k in pairs(os) do t[#t + 1] = k end return t"
    assert client("EVAL", script, 0) == [b"clock"]


@pytest.mark.parametrize(
    "script",
    [
        "return loadstring(string.dump(function() return 1 end))()",
        "return load(function() return nil end)() or loadstring('\\27Lua')()",
        "local s = string.dump(function() end) local n = 0 "
        "return load(function() n = n + 1 return n == 1 and s or nil end)()",
    ],
)
def test_bytecode_is_refused(client: LocalClient, script: str) -> None:
    assert "attempt to call" in client.error("EVAL", script, 0)


def test_bytecode_as_a_script(client: LocalClient) -> None:
    code = client("EVAL", "return string.dump(function() return 1 end)", 0)
    assert "Error compiling script" in client.error("EVAL", code, 0)
    assert "Error compiling script" in client.error("SCRIPT", "LOAD", code)


@pytest.mark.parametrize(
    "script",
    [
        "local function f() return f() + 1 end return f()",
        "local t = {} for i = 1, 10000 do t = {t} end return cjson.encode(t)",
        "return cjson.decode(string.rep('[', 100000))",
        "return unpack({}, 0, 2147483647)",
        "return unpack({}, -2147483648, 2147483647)",
        "return string.rep('x', 2^40)",
        "return string.find(string.rep('a', 1e6), string.rep('a?', 1e6))",
        "return string.match(string.rep('a', 1e6), string.rep('a-', 1e6))",
        "return string.gsub(string.rep('a', 1e6), string.rep('a?', 1e6), '')",
        "return string.gmatch(string.rep('a', 1e6), string.rep('a?', 1e6))()",
        "return ('a'):rep(1e6):find(('a?'):rep(1e6))",
        "return select('#', unpack({}, 1, 1e6))",
        "local f = coroutine.wrap(function(g) g(g) end) f(f)",
        "local function c() coroutine.wrap(c)() end c()",
        "return ('x'):gsub('x', function() return redis.call('nope') end)",
        "return table.concat({}, 'x', 1, 2^31 - 1)",
        "return string.format('%99999d', 1)",
        "return string.format('%s', setmetatable({}, {__tostring = function() return 1 end}))",
        "return loadstring('return ' .. string.rep('(', 300) .. string.rep(')', 300))()",
        "return loadstring(string.rep('a.', 100000))()",
        "error(setmetatable({}, {__index = function(t, k) error(t) end}))",
        "error(setmetatable({}, {__tostring = function() error('x') end}))",
        "error({})",
        "error()",
        "local t = setmetatable({}, {__index = function(t, k) return t[k .. 'x'] end}) return t.x",
    ],
)
def test_what_goes_too_far_is_an_error_or_nothing(client: LocalClient, script: str) -> None:
    client("EVAL", script, 0)
    assert client("EVAL", "return {1, 2}", 0) == [1, 2]


def test_too_few_arguments_for_a_function_with_dots(client: LocalClient) -> None:
    """CVE-2014-5461: such a call wrote behind the stack."""
    names = ", ".join(f"a{i}" for i in range(190))
    script = f"local function f({names}, ...) end for i = 1, 50 do f() coroutine.wrap(f)() end"
    assert client("EVAL", script, 0) is None


def test_random_numbers_differ_from_run_to_run(client: LocalClient) -> None:
    script = "return tostring(math.random())"
    assert client("EVAL", script, 0) != client("EVAL", script, 0)
    seeded = "math.randomseed(ARGV[1]) return tostring(math.random())"
    assert client("EVAL", seeded, 0, 10) == client("EVAL", seeded, 0, 10)
    assert client("EVAL", seeded, 0, 10) != client("EVAL", seeded, 0, 11)


def test_nothing_stays_from_one_script_to_the_next(client: LocalClient) -> None:
    client("EVAL", "KEYS.x = 1 ARGV.y = 2", 0)
    assert client("EVAL", "return {KEYS.x or 0, ARGV.y or 0, #KEYS}", 0) == [0, 0, 0]


def test_memory_does_not_grow(client: LocalClient) -> None:
    script = "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1000) .. i end return #t"
    for _ in range(50):
        assert client("EVAL", script, 0) == 1000
    memory = client.engine.info.fields("memory")["used_memory_vm_eval"]
    assert memory < 20_000_000  # type: ignore[operator]


def test_a_long_pattern_is_fine_where_it_is_none(client: LocalClient) -> None:
    long = "string.rep('-', 3000)"
    assert client("EVAL", f"return string.find({long}, {long}, 1, true)", 0) == 1
    assert client("EVAL", "return string.find(('a'):rep(3000), ('a'):rep(3000))", 0) == 1
    assert "pattern too complex" in client.error("EVAL", f"return string.find({long}, {long})", 0)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("xpcall(function() return 1, 2 end, error)", [1, 1, 2]),
        ("xpcall(function() error('x', 0) end, function(e) return e .. '!' end)", [None, b"x!"]),
        ("xpcall(function() error('x') end, error)", [None, b"error in error handling"]),
        ("xpcall(function() end, error)", [1]),
    ],
)
def test_xpcall(client: LocalClient, call: str, expected: list) -> None:
    assert client("EVAL", f"return {{{call}}}", 0) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("local f = coroutine.wrap(function(a) return coroutine.yield(a + 1) * 2 end) "
         "return {f(1), f(5)}", [2, 10]),
        ("local c = coroutine.create(function(a) return coroutine.yield(a) end) "
         "local _, x = coroutine.resume(c, 7) local _, y = coroutine.resume(c, 8) "
         "return {x, y, coroutine.status(c)}", [7, 8, b"dead"]),
        ("local f = coroutine.wrap(function() end) f() return select(2, pcall(f))",
         b"cannot resume dead coroutine"),
        ("return select(2, pcall(coroutine.wrap, redis.call))",
         b"bad argument #1 to '?' (Lua function expected)"),
    ],
)  # fmt: skip
def test_coroutines(client: LocalClient, body: str, expected: object) -> None:
    assert client("EVAL", body, 0) == expected
