"""Histories with crashes, partitions and delays: nobody votes twice, and all agree in the end."""

from __future__ import annotations

import pytest

from .histories import live

# `make soak-sentinel` lives many more.
SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_agree_in_the_end(seed: int) -> None:
    live(seed)


def test_the_same_seed_gives_the_same_history() -> None:
    first, second = live(7)[0].happenings, live(7)[0].happenings
    assert first == second
    assert len(first) > 100
