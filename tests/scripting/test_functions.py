"""Libraries of functions: loading, calling, listing, dumping, and what files make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.engine.engine import Engine
from carnelian.engine.extensions.conversion import plain
from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.saving.snapshots import snapshots_of
from support.local import LocalClient, Recorder
from support.servers import ReferenceServer
from support.wire import Word

FLAGS = "flags = {'no-writes', 'allow-stale'}, description = 'some text'"
STOCK = f"""#!lua name=stock
local function take(keys, args)
    return redis.call('decrby', keys[1], args[1])
end
redis.register_function('take', take)
redis.register_function{{function_name = 'look', callback = function(keys, args)
    return redis.call('get', keys[1])
end, {FLAGS}}}
"""


def library(body: str, name: str = "lib") -> str:
    return f"#!lua name={name}\n{body}"


def test_functions_are_called(client: LocalClient) -> None:
    assert client("FUNCTION", "LOAD", STOCK) == b"stock"
    client("SET", "s", 10)
    assert client("FCALL", "take", 1, "s", 3) == 7
    assert client("FCALL_RO", "look", 1, "s") == b"7"
    assert client.error("FCALL_RO", "take", 1, "s", 3) == (
        "ERR Can not execute a script with write flag using *_ro command."
    )
    assert client.error("FCALL", "nope", 0) == "ERR Function not found"
    assert client.error("FCALL", "take", 9) == (
        "ERR Number of keys can't be greater than number of args"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("redis.call('ping')", "ERR user_function:2: Script attempted to access nonexistent "
         "global variable 'call'"),
        ("x = 1", "ERR user_function:2: Attempt to modify a readonly table"),
        ("redis.x = 1", "ERR user_function:2: Attempt to modify a readonly table"),
        ("return math", "ERR user_function:2: Script attempted to access nonexistent global "
         "variable 'math'"),
        ("redis.redis.call('ping')", "ERR user_function:2: Script attempted to access "
         "nonexistent global variable 'redis'"),
        ("redis.register_function()",
         "ERR wrong number of arguments to redis.register_function"),
        ("redis.register_function('a')", "ERR calling redis.register_function with a single "
         "argument is only applicable to Lua table (representing named arguments)."),
        ("redis.register_function(1, 2)",
         "ERR second argument to redis.register_function must be a function"),
        ("redis.register_function({}, 1)",
         "ERR first argument to redis.register_function must be a string"),
        ("redis.register_function{}",
         "ERR redis.register_function must get a function name argument"),
        ("redis.register_function{function_name='a'}",
         "ERR redis.register_function must get a callback argument"),
        ("redis.register_function{function_name='a', callback=1}",
         "ERR callback argument given to redis.register_function must be a function"),
        ("redis.register_function{function_name='a', callback=redis.log, x=1}",
         "ERR unknown argument given to redis.register_function"),
        ("redis.register_function{[1]='a'}",
         "ERR unknown argument given to redis.register_function"),
        ("redis.register_function{function_name='a', callback=redis.log, flags=1}",
         "ERR flags argument to redis.register_function must be a table representing function "
         "flags"),
        ("redis.register_function{function_name='a', callback=redis.log, flags={'x'}}",
         "ERR unknown flag given"),
        ("redis.register_function('a b', redis.log)",
         "ERR Library names can only contain letters, numbers, or underscores(_) and must be at "
         "least one character long"),
        ("redis.register_function('a', redis.log) redis.register_function('a', redis.log)",
         "ERR Function already exists in the library"),
        ("redis.register_function('a', redis.log, 1)",
         "ERR wrong number of arguments to redis.register_function"),
    ],
)  # fmt: skip
def test_libraries_that_do_not_load(client: LocalClient, body: str, message: str) -> None:
    assert client.error("FUNCTION", "LOAD", library(body)) == (
        f"ERR Error registering functions: {message}"
    )
    assert client("FUNCTION", "LIST") == []
    assert client("FUNCTION", "LOAD", STOCK) == b"stock"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (library("return 1"), "ERR No functions registered"),
        (library("no syntax("), "ERR Error compiling function: user_function:2: '=' expected near "
         "'syntax'"),
        ("x", "ERR Missing library metadata"),
        ("#!lua name=a", "ERR Invalid library metadata"),
        ("#!lua\n", "ERR Library name was not given"),
        ("#!js name=a\n", "ERR Engine 'js' not found"),
        ("#!lua name=\n", "ERR Library names can only contain letters, numbers, or underscores(_) "
         "and must be at least one character long"),
        ("#!lua name=a name=b\n",
         "ERR Invalid metadata value, name argument was given multiple times"),
        ("#!lua name=a b=c\n", "ERR Invalid metadata value given: b=c"),
    ],
)  # fmt: skip
def test_texts_that_are_no_libraries(client: LocalClient, code: str, message: str) -> None:
    assert client.error("FUNCTION", "LOAD", code) == message


def test_replacing(client: LocalClient) -> None:
    one = library("redis.register_function('f', function() return 1 end)")
    two = library("redis.register_function('g', function() return 2 end)")
    client("FUNCTION", "LOAD", one)
    assert client.error("FUNCTION", "LOAD", two) == "ERR Library 'lib' already exists"
    assert client.error("FUNCTION", "LOAD", "REPLACE", library("x = 1")).startswith("ERR Error")
    assert client("FCALL", "f", 0) == 1
    assert client("FUNCTION", "LOAD", "REPLACE", two) == b"lib"
    assert client("FCALL", "g", 0) == 2
    assert client.error("FCALL", "f", 0) == "ERR Function not found"
    other = library("redis.register_function('g', function() return 3 end)", "other")
    assert client.error("FUNCTION", "LOAD", other) == "ERR Function g already exists"
    assert client.error("FUNCTION", "LOAD", "X", other) == "ERR Unknown option given: X"
    assert client("FCALL", "g", 0) == 2


def test_listing(client: LocalClient) -> None:
    client("FUNCTION", "LOAD", STOCK)
    client("FUNCTION", "LOAD", library("redis.register_function('f', redis.log)"))
    listed = plain(client("FUNCTION", "LIST", "LIBRARYNAME", "sto*"))
    assert listed == [
        {
            b"library_name": b"stock",
            b"engine": b"LUA",
            b"functions": [
                {b"name": b"take", b"description": None, b"flags": set()},
                {
                    b"name": b"look",
                    b"description": b"some text",
                    b"flags": {b"no-writes", b"allow-stale"},
                },
            ],
        }
    ]
    with_code = plain(client("FUNCTION", "LIST", "WITHCODE"))
    assert {entry[b"library_code"] for entry in with_code} >= {STOCK.encode()}
    assert client.error("FUNCTION", "LIST", "X") == "ERR Unknown argument X"
    assert client.error("FUNCTION", "LIST", "LIBRARYNAME") == (
        "ERR library name argument was not given"
    )
    stats = plain(client("FUNCTION", "STATS"))
    assert stats == {
        b"running_script": None,
        b"engines": {b"LUA": {b"libraries_count": 2, b"functions_count": 3}},
    }
    memory = client.engine.info.fields("memory")
    assert (memory["number_of_libraries"], memory["number_of_functions"]) == (2, 3)


def test_deleting(client: LocalClient) -> None:
    client("FUNCTION", "LOAD", STOCK)
    assert client.error("FUNCTION", "DELETE", "nope") == "ERR Library not found"
    assert client("FUNCTION", "DELETE", "stock") == b"OK"
    assert client.error("FCALL", "take", 0) == "ERR Function not found"
    client("FUNCTION", "LOAD", STOCK)
    assert client.error("FUNCTION", "FLUSH", "X") == (
        "ERR FUNCTION FLUSH only supports SYNC|ASYNC option"
    )
    assert client("FUNCTION", "FLUSH", "ASYNC") == b"OK"
    assert client("FUNCTION", "LIST") == []


def test_dumping_and_restoring(client: LocalClient, redis_server: ReferenceServer) -> None:
    client("FUNCTION", "LOAD", STOCK)
    payload = client("FUNCTION", "DUMP")
    assert client.error("FUNCTION", "RESTORE", payload) == "ERR Library stock already exists"
    assert client("FUNCTION", "RESTORE", payload, "REPLACE") == b"OK"
    client("FUNCTION", "LOAD", library("redis.register_function('f', redis.log)"))
    assert client("FUNCTION", "RESTORE", payload, "FLUSH") == b"OK"
    assert len(client("FUNCTION", "LIST")) == 1
    assert client.error("FUNCTION", "RESTORE", payload, "X") == (
        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
    )
    assert client.error("FUNCTION", "RESTORE", payload[:-1] + b"x") == (
        "ERR DUMP payload version or checksum are wrong"
    )
    clash = library("redis.register_function('take', redis.log)", "other")
    client("FUNCTION", "FLUSH")
    client("FUNCTION", "LOAD", clash)
    assert client.error("FUNCTION", "RESTORE", payload) == "ERR Function take already exists"
    redis_server.call("FUNCTION", "FLUSH")
    redis_server.call("FUNCTION", "LOAD", STOCK)
    theirs = redis_server.call("FUNCTION", "DUMP")
    assert isinstance(theirs, bytes)
    assert client("FUNCTION", "RESTORE", theirs, "FLUSH") == b"OK"
    client("SET", "s", 1)
    assert client("FCALL", "look", 1, "s") == b"1"


def test_they_are_propagated(client: LocalClient) -> None:
    written = Recorder(client.engine)
    client("FUNCTION", "LOAD", STOCK)
    client("SET", "s", 1)
    client("FCALL", "take", 1, "s", 1)
    client("FUNCTION", "DELETE", "stock")
    client("FUNCTION", "DELETE", "stock")
    assert written.take() == [
        b"FUNCTION LOAD " + STOCK.encode(),
        b"SET s 1",
        b"decrby s 1",
        b"FUNCTION DELETE stock",
    ]


@pytest.mark.parametrize("words", [("SAVE",), ("FLUSHALL",)])
def test_they_outlive_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[Word, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    client = LocalClient(Engine(clock=ManualClock()))
    snapshots_of(client.engine)
    client("FUNCTION", "LOAD", STOCK)
    client(*words)
    client("SAVE")
    other = LocalClient(Engine(clock=ManualClock()))
    snapshots_of(other.engine).load()
    other("SET", "s", 5)
    assert other("FCALL", "take", 1, "s", 2) == 3


def test_the_globals_of_functions(client: LocalClient) -> None:
    body = """
    local lib = redis
    redis.register_function('escape', function() lib.math = math end)
    redis.register_function('again', function() lib.register_function('x', function() end) end)
    redis.register_function('missing', function() return redis.register_function('x') end)
    redis.register_function('set', function() x = 1 end)
    redis.register_function('keys', function() return KEYS end)
    redis.register_function('pairs', function() local n = 0 for k in pairs(_G) do n = n + 1 end
        return n end)
    """
    client("FUNCTION", "LOAD", library(body))
    assert "Attempt to modify a readonly table" in client.error("FCALL", "escape", 0)
    assert "can only be called on FUNCTION LOAD command" in client.error("FCALL", "again", 0)
    assert "attempt to call field 'register_function' (a nil value) script: missing, on " in (
        client.error("FCALL", "missing", 0)
    )
    assert "Attempt to modify a readonly table" in client.error("FCALL", "set", 0)
    assert "nonexistent global variable 'KEYS'" in client.error("FCALL", "keys", 0)
    assert client("FCALL", "pairs", 0) > 20
