"""A short form of ``make fuzz-scripts``."""

from __future__ import annotations

import pytest

from fuzzing.runs import run
from fuzzing.scripts import Scripts


@pytest.mark.parametrize("seed", range(4))
def test_random_scripts_and_rules_break_nothing(seed: int) -> None:
    replies, errors = run(seed, 1000)
    assert replies > 500, "most of them should get somewhere"
    assert errors > 100


def test_a_seed_stands_for_its_scripts() -> None:
    one, other = Scripts(7), Scripts(7)
    assert [one.next() for _ in range(50)] == [other.next() for _ in range(50)]
