"""When a node takes commands that gets its slots soon after its start."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .lone_member import LoneMember, LoneSettings


@pytest.fixture
def lone() -> Iterator[LoneMember]:
    """A node with a timeout so long that its wait for a majority would be seen."""
    lone = LoneMember(None, LoneSettings(node_timeout=15_000))
    yield lone
    lone.close()


def test_slots_that_come_late_do_not_make_it_one_that_comes_back(lone: LoneMember) -> None:
    """It has looked several times by then, and has found that it has no slots."""
    began = time.monotonic()
    lone.wait_for(lambda: time.monotonic() > began + 0.5)
    assert not lone.member.view.is_ok
    lone.member.add_slots(list(range(16384)))
    lone.wait_for(lambda: lone.member.view.is_ok)
    assert 1.9 < time.monotonic() - began < 4
    assert lone.logged[-1] == "Cluster state changed: ok"


def test_who_had_no_slots_for_long_waits_for_the_others(lone: LoneMember) -> None:
    began = time.monotonic()
    lone.wait_for(lambda: time.monotonic() > began + 2.5)
    lone.member.add_slots(list(range(16384)))
    added = time.monotonic()
    lone.wait_for(lambda: lone.member.view.is_ok)
    assert time.monotonic() - added > 4.5
