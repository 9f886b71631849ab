"""A real redis-server to compare with."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from redis.connection import Connection

from support.waiting import free_port
from support.wire import Word

START_TIMEOUT = 10.0


class ReferenceServer:
    """A redis-server of its own, in its own directory, on a free port of this machine."""

    def __init__(self, directory: Path, arguments: tuple[str, ...]):
        self.directory = directory
        self.log = directory / "log"
        self.port = free_port()
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

    def call(self, *arguments: Word) -> object:
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
