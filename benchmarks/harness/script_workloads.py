"""Scripts that redis-benchmark is to run: calls of commands, usual tasks, and plain Lua."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from harness.client import encode

_DOCUMENT = (
    '{"id":17,"name":"a name","tags":["red","green","blue"],"price":12.5,"stock":{"here":3,'
    '"there":null},"text":"some longer text that stands for what people write"}'
)

# By name: the script, and what follows it.
_SCRIPTS = {
    "SCRIPT_ONE_CALL": ("return redis.call('get', KEYS[1])", "1 key:__rand_int__"),
    "SCRIPT_TEN_CALLS": (
        "for i = 1, 10 do redis.call('incr', KEYS[1]) end return 1",
        "1 counter:__rand_int__",
    ),
    "SCRIPT_LOOP": (
        "for i = 1, 10000 do redis.call('get', KEYS[1]) end return 1",
        "1 key:__rand_int__",
    ),
    "SCRIPT_RATE_LIMITER": (
        "local n = redis.call('incr', KEYS[1]) "
        "if n == 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end "
        "if n > tonumber(ARGV[2]) then return redis.call('pttl', KEYS[1]) end return 0",
        "1 limit:__rand_int__ 1000 5",
    ),
    "SCRIPT_JSON": ("return cjson.encode(cjson.decode(ARGV[1]))", f"0 '{_DOCUMENT}'"),
    "SCRIPT_LUA": (
        "local t, s = {}, 0 for i = 1, 1000 do t[i] = i % 7 s = s + t[i] * 2 end "
        "for i = 1, 50 do local x = 'k' .. i if #x > 2 then s = s + #x end end return s",
        "0",
    ),
    "SCRIPT_CAUGHT_ERROR": (
        "for i = 1, 10 do redis.pcall('lpush', KEYS[1], 'x') end return 1",
        "1 key:000000000001",
    ),
}


def lines() -> dict[str, str]:
    """The command lines: each script by its SHA-1, and one as EVAL has it."""
    found = {
        name: f"EVALSHA {hashlib.sha1(script.encode()).hexdigest()} {words}"
        for name, (script, words) in _SCRIPTS.items()
    }
    script, words = _SCRIPTS["SCRIPT_ONE_CALL"]
    found["SCRIPT_EVAL"] = f'EVAL "{script}" {words}'
    return found


def load_all(requests: int, size: int) -> Iterator[bytes]:
    """Have a server know all scripts."""
    for script, _ in _SCRIPTS.values():
        yield encode("SCRIPT", "LOAD", script)
    yield encode("SET", "key:000000000001", b"x" * size)
