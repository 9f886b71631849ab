"""Ctrl-C in tests that end programs by it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def heeded_interrupts() -> Iterator[None]:
    """Processes heed Ctrl-C, even if these tests were begun where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
