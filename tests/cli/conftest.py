"""Servers for the tests of carnelian-cli."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.servers import ReferenceServer, require

from .programs import Echo


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server that answers with the last word."""
    server = Echo()
    yield server
    server.close()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReferenceServer]:
    """A redis-server with data of every type."""
    require("redis-server", "redis-server")
    require("redis-cli", "redis-tools")
    options = ("--save", "", "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0")
    server = ReferenceServer(tmp_path_factory.mktemp("redis"), options)
    fill(server)
    yield server
    server.stop()


def fill(server: ReferenceServer) -> None:
    """Some keys of each type."""
    for number in range(1, 6):
        server.call("SET", f"string:{number}", "x" * number * 10)
        server.call("RPUSH", f"list:{number}", *range(number))
    server.call("HSET", "hash", "a", 1, "b", "two")
    server.call("SADD", "set", "a", "b", "c")
    server.call("ZADD", "zset", 1, "a", "2.5", "b")
    server.call("XADD", "stream", "1-1", "field", "value")
    server.call("SET", b'odd \xff"key', "\u00e9")
