"""Fixtures for tests that need a Redis: one of their own for each test, with a time that they move.

Installed with carnelian, pytest finds them by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import carnelian


@pytest.fixture
def carnelian_engine() -> Iterator[carnelian.Engine]:
    """An empty engine; ``carnelian_engine.clock.advance(ms)`` moves its time."""
    import carnelian

    with carnelian.Engine(clock=carnelian.ManualClock()) as engine:
        yield engine


@pytest.fixture
def carnelian_redis(carnelian_engine: carnelian.Engine) -> Iterator[carnelian.Redis]:
    """A redis-py client of ``carnelian_engine``."""
    import carnelian

    with carnelian.Redis(engine=carnelian_engine) as client:
        yield client
