"""Fixtures for tests that need a Redis: one of their own for each test.

In ``carnelian_engine`` and ``carnelian_redis`` time stands still until the test moves it; in
``carnelian_live_engine`` and ``carnelian_live_redis`` it goes by. Installed with carnelian, pytest
finds them by itself.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# Every run of pytest imports this module: the rest is imported where it is used.
if TYPE_CHECKING:
    from carnelian.embedded.client import Redis
    from carnelian.embedded.local_engine import Engine

# Seconds that a wait has, beyond those that it would last, for somebody to move the clock.
_PATIENCE = 1.0


@pytest.fixture
def carnelian_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty engine; ``carnelian_engine.clock.advance(ms)`` moves its time."""
    from carnelian.embedded.local_engine import Engine
    from carnelian.embedded.testing.frozen_clock import ManualClock

    with Engine(clock=ManualClock()) as engine:
        watch = _Watch(engine, request.node.nodeid, request.config)
        engine.host.on_wait = watch.begin
        try:
            yield engine
        finally:
            watch.end()


@pytest.fixture
def carnelian_redis(carnelian_engine: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian_engine``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian_engine) as client:
        yield client


@pytest.fixture
def carnelian_live_engine() -> Iterator[Engine]:
    """An empty engine in real time: keys expire and blocking commands end while a test sleeps."""
    from carnelian.embedded.local_engine import Engine

    with Engine() as engine:
        yield engine


@pytest.fixture
def carnelian_live_redis(carnelian_live_engine: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian_live_engine``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian_live_engine) as client:
        yield client


class _Watch:
    """Warns when a command waits for a time that nobody moves, and would for ever."""

    def __init__(self, engine: Engine, test: str, config: pytest.Config):
        self._engine = engine
        self._test = test
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """A session waits now: look in real time whether it goes on waiting."""
        core = self._engine.core
        deadline = core.next_deadline_ms()
        if not deadline or self._timer is not None:
            return
        seconds = max(deadline - core.clock.wall_ms(), 0) / 1000
        self._timer = threading.Timer(seconds + _PATIENCE, self._look, (deadline,))
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """The test is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, deadline: int) -> None:
        self._timer = None
        try:
            left = self._engine.host.perform(self._engine.core.next_deadline_ms)
        except RuntimeError:
            # It is closed.
            return
        if left != deadline:
            return
        message = (
            f"{self._test}: a command waits until its timeout, and the time of carnelian_engine "
            "stands still. Move it with carnelian_engine.clock.advance(ms) in another thread or "
            "task, or take carnelian_live_engine or carnelian_live_redis"
        )
        if self._capture is not None:
            # Now: a test that hangs does not get as far as the summary.
            with self._capture.global_and_fixture_disabled():
                print(f"\nwarning: {message}", flush=True)
        warnings.warn(message, stacklevel=2)
