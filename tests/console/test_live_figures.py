"""Percentiles of what happened between two looks."""

from __future__ import annotations

from typing import Any

from carnelian.tools.console.answers.live_figures import (
    difference,
    percentile,
    read_histograms,
)


def test_histograms_are_read_as_the_server_tells_them() -> None:
    reply: Any = [b"get", [b"calls", 3, b"histogram_usec", [1, 1, 4, 3]], b"set", [b"calls", 0]]
    assert read_histograms(reply) == {"get": {1: 1, 4: 3}}
    assert read_histograms(None) == {}


def test_the_difference_is_what_has_come_since() -> None:
    before = {"get": {1: 10, 2: 15}, "set": {8: 4}}
    now = {"get": {1: 12, 2: 17, 16: 18}, "set": {8: 4}, "del": {2: 1}}
    assert difference(now, before) == {1: 2, 2: 1, 16: 1}
    assert difference(now, now) == {}


def test_a_percentile_lies_within_its_bound() -> None:
    spread = {2: 50, 4: 49, 1024: 1}
    assert percentile(spread, 0.5) == 2.0
    assert percentile(spread, 0.25) == 1.5
    assert percentile(spread, 0.99) == 4.0
    assert percentile(spread, 0.999) == 972.8
    assert percentile({}, 0.5) is None
