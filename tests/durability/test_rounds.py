"""A few rounds of each kind. ``python -m tests.durability`` runs as many as there is time for."""

from __future__ import annotations

from pathlib import Path

import pytest

from durability.rounds import SNAPSHOTS, Loss, Rounds
from durability.work import Work

_ROUNDS = (
    ("rewrite", True), ("log off and on", True), ("rewrite and snapshot", False),
    ("load log", False), ("reload", True), ("kill while loading", True),
)  # fmt: skip


@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_nothing_is_lost(tmp_path: Path, policy: str) -> None:
    rounds = Rounds(tmp_path, policy, seed=4)
    for disturbance, power_cut in _ROUNDS if policy == "always" else _ROUNDS[:4]:
        rounds.run(disturbance, power_cut)
    assert rounds.figures.acknowledged > 100 * len(_ROUNDS)


@pytest.mark.parametrize("power_cut", [False, True])
def test_a_snapshot_is_there_once_it_was_written(tmp_path: Path, power_cut: bool) -> None:
    rounds = Rounds(tmp_path, SNAPSHOTS, seed=4)
    rounds.run(power_cut=power_cut)
    assert rounds.figures.acknowledged > 100


def test_a_loss_is_noticed(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path, "always", seed=4, appendfsync="no")
    with pytest.raises(Loss, match="of them to be kept"):
        rounds.run("none", power_cut=True)


def test_units_are_told_from_what_they_leave() -> None:
    work = Work("p")
    data = work.result(0)
    for number in range(500):
        assert work.count(data) == number
        work.apply(number, data)
    del data["p:hash"]["f5"]
    assert work.count(data) is None
