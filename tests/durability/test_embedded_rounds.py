"""A killed program loses nothing that its engine has acknowledged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from durability.embedded import EmbeddedRounds
from durability.rounds import Loss

_MEMORY = "/dev/shm"


@pytest.fixture
def idle_disk() -> Iterator[Path]:
    """A directory in memory, where nothing waits for a disk."""
    if not os.path.isdir(_MEMORY):
        pytest.skip(f"needs {_MEMORY}, as Linux has it")
    with TemporaryDirectory(dir=_MEMORY, prefix="carnelian-") as name:
        yield Path(name)


@pytest.mark.parametrize("policy", ["everysec", "no"])
def test_a_kill_loses_nothing(idle_disk: Path, policy: str) -> None:
    rounds = EmbeddedRounds(idle_disk, 1, idle=True, appendfsync=policy)
    # A thread that keeps the interpreter for itself, and many that wait for each other.
    rounds.run(threads=1, power_cut=False, interval=60, seconds=2.2)
    rounds.run(threads=1, power_cut=False, interval=0.005, seconds=1.6)
    rounds.run(threads=5, power_cut=False, interval=0.005, seconds=1.6)
    assert rounds.figures.lost == 0
    assert rounds.figures.acknowledged > 10_000


def test_a_power_cut_loses_two_seconds_at_most(tmp_path: Path) -> None:
    rounds = EmbeddedRounds(tmp_path, 1, appendfsync="everysec")
    rounds.run(threads=1, power_cut=True, interval=60, seconds=4)
    rounds.run(threads=3, power_cut=True, interval=0.005, seconds=4)
    assert 0 < rounds.figures.oldest_lost_s < 2


def test_what_is_promised_to_be_on_the_disk_is_there(tmp_path: Path) -> None:
    rounds = EmbeddedRounds(tmp_path, 1, appendfsync="always")
    rounds.run(threads=1, power_cut=True, interval=60, seconds=1)
    rounds.run(threads=5, power_cut=True, interval=0.005, seconds=1)
    assert rounds.figures.lost == 0


def test_writes_that_are_gathered_are_lost_for_no_longer(idle_disk: Path) -> None:
    rounds = EmbeddedRounds(idle_disk, 1, idle=True, aof_write_interval=100)
    rounds.run(threads=1, power_cut=False, interval=0.005, seconds=1)
    assert rounds.figures.oldest_lost_s < 0.6


def test_a_loss_is_noticed(idle_disk: Path) -> None:
    rounds = EmbeddedRounds(idle_disk, 1, idle=True, appendfsync="everysec")
    rounds._directives["aof_write_interval"] = 1000
    rounds._promised = lambda looks, cut: looks[-1][1]  # type: ignore[method-assign]
    with pytest.raises(Loss, match="to be kept"):
        for _round in range(5):
            rounds.run(threads=1, power_cut=False, interval=0.005, seconds=0.3)
