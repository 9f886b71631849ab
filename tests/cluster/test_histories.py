"""Some histories of clusters in which everything goes wrong; ``make soak-cluster`` lives many."""

from __future__ import annotations

import pytest

from .histories import Outcome, live, summary

# Histories that have found something once.
FOUND: list[int] = [1276, 4793, 8231]


@pytest.mark.parametrize("seed", [*range(25), *FOUND])
def test_a_history(seed: int) -> None:
    outcome = live(seed)
    assert outcome.writes > 20


def test_a_history_repeats_itself() -> None:
    assert live(7) == live(7)


def test_histories_in_a_few_words() -> None:
    outcomes = [
        Outcome(1, (3, 1), "", 3, 1, 100, 5, 2, 1500, 4.5),
        Outcome(2, (3, 1), "something", 1, 0, 50, 0, 0, 0, 2.0),
    ]
    assert summary(outcomes, 12.3) == (
        "2 histories in 12 s, 1 bad, 4 elections (1 by hand), agreed again after 4.5 s at most; "
        "150 writes acknowledged, 5 lost, 2 of them by primaries without a majority, at most "
        "1500 ms after they had lost it"
    )
