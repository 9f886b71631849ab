"""The two sides of a differential test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from differential.pair import Pair
from support.servers import StartRedis


@pytest.fixture(scope="module")
def pair(start_redis: StartRedis) -> Iterator[Pair]:
    """A redis-server for the tests of a module, and engines of ours."""
    server = start_redis("--save", "", "--enable-debug-command", "yes")
    pair = Pair(server.port, "enable-debug-command yes")
    # When keys expire in the background is up to each server.
    pair.reference.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    yield pair
    pair.close()
