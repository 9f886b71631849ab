"""What else runs in a thread that is interrupted, and is not ours."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_interpreted_beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No interrupt is lost in what the collector calls, as Hypothesis has it do, and nothing that
    reports of one lost in a destructor is interrupted in turn: that hook is built in.
    """
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    monkeypatch.setattr(sys, "unraisablehook", callable)
    yield
    gc.callbacks[:] = callbacks
