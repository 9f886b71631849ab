"""Scripts that want more memory than there is: they end with an error, and nothing else does."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient

MB = 1 << 20
LIMIT = 32 * MB
# Ten million bytes, a thousand times; more than a reply or a command may take of a small Lua.
REPEATED = "local s, t = ('x'):rep(1e7), {} for i = 1, 1000 do t[i] = s end "
# A few tables, each standing in the next one twice: trees of a trillion values.
FOLDED = "local t = {} for i = 1, 40 do t = {t, t} end "


@pytest.fixture
def limited(client: LocalClient) -> LocalClient:
    assert client("CONFIG", "SET", "lua-memory-limit", LIMIT) == b"OK"
    return client


@pytest.mark.parametrize(
    "script",
    [
        "return ('x'):rep(1e9)",
        "return ('x'):rep(1e9):rep(10)",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} for i = 1, 1e9 do t['k' .. i] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e5):gsub('.', ('y'):rep(1e6))",
        "return ('x'):rep(1e6):gsub('', ('y'):rep(1e3))",
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
        "local t = {} for i = 1, 7000 do t[i] = ('x'):rep(1e5) end "
        "return string.format(('%s'):rep(7000), unpack(t))",
        REPEATED + "return table.concat(t)",
        REPEATED + "return t",
        REPEATED + "return redis.call('del', unpack(t))",
        FOLDED + "return t",
        FOLDED + "return {map = {a = t}}",
        FOLDED + "return cjson.encode(t)",
        "local t = {} for i = 1, 15 do t = {t, t, t, t} end return cmsgpack.pack(t)",
        "return struct.pack('c0', ('x'):rep(1e8))",
        "return cjson.decode('[' .. ('[],'):rep(1e7) .. '1]')",
        "redis.log(redis.LOG_WARNING, ('x'):rep(1e8))",
        "return loadstring('return {' .. ('{},'):rep(1e7) .. '}')()",
    ],
)
def test_too_much_is_refused(limited: LocalClient, script: str) -> None:
    assert "not enough memory" in limited.error("EVAL", script, 0)
    assert limited("EVAL", "return {1, 2}", 0) == [1, 2]
    assert limited.engine.info.fields("memory")["used_memory_vm_eval"] < MB  # type: ignore[operator]


def test_a_script_may_go_on_with_less(limited: LocalClient) -> None:
    script = (
        "local ok, text = pcall(string.rep, 'x', 1e9) "
        "return {ok, text, #('x'):rep(1e6), redis.call('set', 'k', 'v')}"
    )
    assert limited("EVAL", script, 0) == [None, b"not enough memory", 1_000_000, b"OK"]


def test_a_command_that_is_refused_can_be_caught(limited: LocalClient) -> None:
    script = REPEATED + "return redis.pcall('del', unpack(t)).err"
    assert limited("EVAL", script, 0) == b"ERR not enough memory"


def test_what_was_written_stays(limited: LocalClient) -> None:
    limited("EVAL", "redis.call('set', 'k', 'v') return ('x'):rep(1e9)", 0)
    assert limited("GET", "k") == b"v"


def test_the_limit_can_be_changed(limited: LocalClient) -> None:
    script = "return #('x'):rep(2e7)"
    assert "not enough memory" in limited.error("EVAL", script, 0)
    limited("CONFIG", "SET", "lua-memory-limit", 4 * LIMIT)
    assert limited("EVAL", script, 0) == 20_000_000
    limited("CONFIG", "SET", "lua-memory-limit", 1)
    assert "not enough memory" in limited.error("EVAL", "return 'new' .. 'text'", 0)
    limited("CONFIG", "SET", "lua-memory-limit", 0)
    assert limited("EVAL", script, 0) == 20_000_000


def test_functions_have_the_same_limit(limited: LocalClient) -> None:
    library = "#!lua name=l\nredis.register_function('f', function() return ('x'):rep(1e9) end)"
    limited("FUNCTION", "LOAD", library)
    assert "not enough memory" in limited.error("FCALL", "f", 0)
    greedy = "#!lua name=g\nlocal s = ('x'):rep(1e9)\nredis.register_function('g', function() end)"
    assert "not enough memory" in limited.error("FUNCTION", "LOAD", greedy)
    assert len(limited("FUNCTION", "LIST")) == 1


def test_what_is_not_used_any_more_is_given_back(client: LocalClient, engine: Engine) -> None:
    client("EVAL", "local t = {} for i = 1, 50 do t[i] = ('x'):rep(1e6) .. i end", 0)
    client("EVAL", "return #cjson.encode(('x'):rep(2e7))", 0)
    fields = engine.info.fields("memory")
    assert fields["used_memory_vm_eval"] < 2 * MB  # type: ignore[operator]
    assert fields["used_memory_lua"] == fields["used_memory_vm_eval"]
