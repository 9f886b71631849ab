"""The clients that the scenario is run with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import toolchains


@dataclass(frozen=True)
class Client:
    """A client or framework: ``prepare`` builds its program and returns how that is started."""

    name: str
    language: str
    prepare: Callable[[], list[str]]
    light: bool = False


def _client(name: str, language: str, light: bool, prepare: Callable, *words: str) -> Client:
    return Client(name, language, partial(prepare, *words), light)


_phpredis = ("php-redis", "exit(extension_loaded('redis') ? 0 : 1);")
_predis = ("php-nrk-predis", "require 'Predis/Autoloader.php';")

CLIENTS = (
    _client("redis-py", "Python", True, toolchains.python, "blocking_client.py", "redis"),
    _client("redis.asyncio", "Python", True, toolchains.python, "asyncio_client.py"),
    _client("valkey-py", "Python", True, toolchains.python, "blocking_client.py", "valkey"),
    _client("valkey-glide", "Python", True, toolchains.python, "glide_client.py"),
    _client("node-redis", "Node.js", True, toolchains.node, "node-redis.js"),
    _client("ioredis", "Node.js", True, toolchains.node, "ioredis.js"),
    _client("go-redis", "Go", False, toolchains.go, "goredis"),
    _client("redigo", "Go", False, toolchains.go, "redigo"),
    _client("rueidis", "Go", False, toolchains.go, "rueidis"),
    _client(
        "hiredis", "C", True, toolchains.c, "gcc", "with_hiredis.c", "gcc libhiredis-dev",
        "-lhiredis", "-lpthread",
    ),
    _client("redis-rb", "Ruby", True, toolchains.ruby, "redis_rb.rb"),
    _client("phpredis", "PHP", True, toolchains.php, "phpredis.php", *_phpredis),
    _client("Predis", "PHP", True, toolchains.php, "predis.php", *_predis),
    _client("lua-redis", "Lua", True, toolchains.lua, "lua_redis.lua"),
    _client("Jedis", "Java", False, toolchains.java, "WithJedis"),
    _client("Lettuce", "Java", False, toolchains.java, "WithLettuce"),
    _client("Redisson", "Java", False, toolchains.java, "WithRedisson"),
    _client("redis-rs", "Rust", False, toolchains.rust, "redis_rs"),
    _client("fred", "Rust", False, toolchains.rust, "with_fred"),
    _client(
        "Poco::Redis", "C++", False, toolchains.c, "g++", "with_poco.cpp", "g++ libpoco-dev",
        "-lPocoRedis", "-lPocoNet", "-lPocoFoundation", "-lpthread",
    ),
    _client(
        "hiredis, as objects", "Objective-C", False, toolchains.c, "gcc", "with_hiredis.m",
        "gobjc libhiredis-dev", "-std=gnu11", "-lhiredis", "-lobjc", "-lpthread",
    ),
    _client("StackExchange.Redis", "C#", False, toolchains.csharp),
    _client("RediStack", "Swift", False, toolchains.swift),
)  # fmt: skip
