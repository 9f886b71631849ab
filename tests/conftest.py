"""What tests of any area may use: a real redis-server to compare with."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.connection import Connection

from carnelian import commands
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from support.local import LocalClient

START_TIMEOUT = 10.0

# Commands exist once their modules are imported.
for _module in pkgutil.walk_packages(commands.__path__, "carnelian.commands."):
    importlib.import_module(_module.name)


class ReferenceServer:
    """A redis-server of its own, in its own directory, on a free port of this machine."""

    def __init__(self, directory: Path, arguments: tuple[str, ...]):
        self.directory = directory
        self.log = directory / "log"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        options = [*arguments, "--port", str(self.port), "--bind", "127.0.0.1"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", *options], cwd=directory, stdout=log, stderr=subprocess.STDOUT
            )
        self._connection: Connection | None = None
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.connect().disconnect()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"redis-server did not start:\n{self.log.read_text()}")

    def connect(self, **options: int) -> Connection:
        """A new connection, RESP2 unless ``protocol=3``."""
        connection = Connection(host="127.0.0.1", port=self.port, **{"protocol": 2, **options})
        connection.connect()
        return connection

    def call(self, *arguments: bytes | str | int) -> object:
        """The reply to a command; an error reply is returned, as a ``redis.ResponseError``."""
        if self._connection is None:
            self._connection = self.connect()
        self._connection.send_command(*arguments)
        try:
            return self._connection.read_response()
        except redis.ResponseError as error:
            return error

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._connection is not None:
            self._connection.disconnect()
        self.process.terminate()
        self.process.wait(START_TIMEOUT)


def require(program: str, package: str) -> None:
    """Skip the test if a program is missing, saying what to install; fail it in CI."""
    if shutil.which(program) is not None:
        return
    message = f"this test needs {program} (Debian: apt install {package})"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


StartRedis = Callable[..., ReferenceServer]


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
