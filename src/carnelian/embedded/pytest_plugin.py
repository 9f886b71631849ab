"""Fixtures for tests that need a Redis: one of their own for each test, with a time that they move.

Installed with carnelian, pytest finds them by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# Every run of pytest imports this module: the rest is imported where it is used.
if TYPE_CHECKING:
    from carnelian.embedded.client import Redis
    from carnelian.embedded.engine import Engine


@pytest.fixture
def carnelian_engine() -> Iterator[Engine]:
    """An empty engine; ``carnelian_engine.clock.advance(ms)`` moves its time."""
    from carnelian.embedded.clock import ManualClock
    from carnelian.embedded.engine import Engine

    with Engine(clock=ManualClock()) as engine:
        yield engine


@pytest.fixture
def carnelian_redis(carnelian_engine: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian_engine``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian_engine) as client:
        yield client
