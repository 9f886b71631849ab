"""Free ports, and waiting for what other threads and processes do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT = 10.0

T = TypeVar("T")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], T | None]) -> T:
    """The first true value of ``condition()``; fails when none comes in time."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("what was waited for did not happen")
