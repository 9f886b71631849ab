"""What tests of any area may use: an engine, a client of it, and a real redis-server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carnelian import commands
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient
from support.servers import ReferenceServer, StartRedis, require

# Commands exist once their modules are imported.
commands.declare_all()


@pytest.fixture(scope="module")
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRedis]:
    """Start redis-server with arguments; ``start_redis("--save", "")``."""
    require("redis-server", "redis-server")
    servers: list[ReferenceServer] = []

    def start(*arguments: str) -> ReferenceServer:
        servers.append(ReferenceServer(tmp_path_factory.mktemp("redis"), arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def redis_server(start_redis: StartRedis) -> ReferenceServer:
    """One redis-server for the tests of a module, without snapshots."""
    return start_redis("--save", "")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    """An engine of its own for the test, on the clock of the test."""
    return Engine(clock=clock)


@pytest.fixture
def client(engine: Engine) -> LocalClient:
    """A client of the engine: ``client("SET", "k", 1)`` returns the reply."""
    return LocalClient(engine)
