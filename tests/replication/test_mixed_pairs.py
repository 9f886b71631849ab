"""Short forms of what ``python -m tests.replication.soak`` does for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.servers import require

from .mixed_nodes import OURS, THEIRS
from .mixed_pairs import CHAIN, Shape, run_chain, run_pair
from .promised_writes import Rounds

SHAPES = [
    Shape(THEIRS, OURS, "yes", "swapdb"),
    Shape(OURS, THEIRS, "no", "disabled"),
]


@pytest.fixture(autouse=True, scope="module")
def redis_is_there() -> None:
    require("redis-server", "redis-server")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_pair(tmp_path: Path, shape: Shape) -> None:
    figures = run_pair(tmp_path / "pair", shape, keys=4000, cuts=12, seed=3)
    assert figures.cuts >= 12
    assert figures.full >= 2
    assert figures.partial >= 1


def test_a_chain(tmp_path: Path) -> None:
    figures = run_chain(tmp_path / "chain", CHAIN, keys=2000, cuts=3, seed=4)
    assert figures.partial >= 1


def test_what_wait_has_confirmed_outlives_the_primary(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "kills", seed=5)
    try:
        for _ in range(4):
            rounds.run()
    finally:
        rounds.close()
    assert rounds.figures.confirmed > 0
